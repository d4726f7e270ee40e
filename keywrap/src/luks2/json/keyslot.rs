//! Keyslots: the volume key, split and encrypted under a passphrase (LUKS2 spec, section 3.2).

use super::object::Fields;
use super::{BadMetadata, Object, Problem};

/// One keyslot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyslot {
    /// Length of the stored key in bytes.
    pub key_size: u32,
    /// 0: used only when asked for by number; 1: normal; 2: tried first. Absent means 1.
    pub priority: Option<u32>,
    /// Where its binary data lies.
    pub area: Area,
    /// How the key is stored.
    pub kind: KeyslotKind,
    /// Members that the specification does not have, and all members of an unknown type.
    pub rest: Object,
}

/// The binary area of a keyslot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Area {
    /// The area's type; `raw` for a keyslot of type `luks2`.
    pub kind: String,
    /// First byte on the header device.
    pub offset: u64,
    /// Length in bytes.
    pub size: u64,
    /// Members that the specification does not have, and all members of an unknown type.
    pub rest: Object,
}

/// A keyslot's type and its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyslotKind {
    /// Type `luks2`.
    Luks2(Luks2Keyslot),
    /// Any other type; it is kept and never opened.
    Other(String),
}

/// The members of a keyslot of type `luks2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Luks2Keyslot {
    /// How the area's key comes from the passphrase.
    pub kdf: Kdf,
    /// How the key was split before encryption.
    pub af: Af,
    /// The area's cipher in dm-crypt's notation (`area.encryption`).
    pub encryption: String,
    /// Length of the area's key in bytes (`area.key_size`).
    pub area_key_size: u32,
}

/// The anti-forensic splitter of type `luks1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Af {
    /// How many stripes of the key's length the split key has.
    pub stripes: u32,
    /// The diffusion hash, such as `sha256`.
    pub hash: String,
    /// Members that the specification does not have.
    pub rest: Object,
}

/// A key derivation function with its cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kdf {
    /// Which function.
    pub kind: KdfKind,
    /// The salt.
    pub salt: Vec<u8>,
    /// Members that the specification does not have.
    pub rest: Object,
}

/// Which key derivation function, and what it costs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the members are those of the specification, with its names")]
pub enum KdfKind {
    /// PBKDF2 (RFC 8018) with HMAC over `hash`.
    Pbkdf2 { hash: String, iterations: u32 },
    /// Argon2i (RFC 9106); `memory` in KiB.
    Argon2i { time: u32, memory: u32, cpus: u32 },
    /// Argon2id (RFC 9106); `memory` in KiB.
    Argon2id { time: u32, memory: u32, cpus: u32 },
}

impl Keyslot {
    pub(super) fn read(mut fields: Fields) -> Result<Self, BadMetadata> {
        let kind = fields.string("type")?;
        let key_size = fields.uint32("key_size")?;
        let priority = if fields.has("priority") { Some(fields.uint32("priority")?) } else { None };
        let mut area = fields.object("area")?;
        let kind = match kind.as_str() {
            "luks2" => KeyslotKind::Luks2(Luks2Keyslot::read(&mut fields, &mut area)?),
            _ => KeyslotKind::Other(kind),
        };
        Ok(Self { key_size, priority, area: Area::read(area)?, kind, rest: fields.rest() })
    }

    pub(super) fn to_object(&self) -> Object {
        let mut object = self.rest.clone();
        let mut area = self.area.rest.clone();
        area.put_str("type", &self.area.kind);
        area.put_u64("offset", self.area.offset);
        area.put_u64("size", self.area.size);
        match &self.kind {
            KeyslotKind::Luks2(slot) => slot.put(&mut object, &mut area),
            KeyslotKind::Other(kind) => object.put_str("type", kind),
        }
        object.put_u32("key_size", self.key_size);
        if let Some(priority) = self.priority {
            object.put_u32("priority", priority);
        }
        object.put_object("area", &area);
        object
    }
}

impl Area {
    fn read(mut fields: Fields) -> Result<Self, BadMetadata> {
        Ok(Self {
            kind: fields.string("type")?,
            offset: fields.uint64("offset")?,
            size: fields.uint64("size")?,
            rest: fields.rest(),
        })
    }
}

impl Luks2Keyslot {
    fn read(fields: &mut Fields, area: &mut Fields) -> Result<Self, BadMetadata> {
        Ok(Self {
            kdf: Kdf::read(fields.object("kdf")?)?,
            af: Af::read(fields.object("af")?)?,
            encryption: area.string("encryption")?,
            area_key_size: area.uint32("key_size")?,
        })
    }

    fn put(&self, object: &mut Object, area: &mut Object) {
        object.put_str("type", "luks2");
        object.put_object("kdf", &self.kdf.to_object());
        object.put_object("af", &self.af.to_object());
        area.put_str("encryption", &self.encryption);
        area.put_u32("key_size", self.area_key_size);
    }
}

impl Af {
    fn read(mut fields: Fields) -> Result<Self, BadMetadata> {
        let kind = fields.string("type")?;
        if kind != "luks1" {
            return Err(fields.bad("type", Problem::UnknownType { kind }));
        }
        Ok(Self { stripes: fields.uint32("stripes")?, hash: fields.string("hash")?, rest: fields.rest() })
    }

    fn to_object(&self) -> Object {
        let mut object = self.rest.clone();
        object.put_str("type", "luks1");
        object.put_u32("stripes", self.stripes);
        object.put_str("hash", &self.hash);
        object
    }
}

impl Kdf {
    fn read(mut fields: Fields) -> Result<Self, BadMetadata> {
        let kind = match fields.string("type")?.as_str() {
            "pbkdf2" => KdfKind::Pbkdf2 { hash: fields.string("hash")?, iterations: fields.uint32("iterations")? },
            "argon2i" => {
                let (time, memory, cpus) = Self::read_argon2(&mut fields)?;
                KdfKind::Argon2i { time, memory, cpus }
            }
            "argon2id" => {
                let (time, memory, cpus) = Self::read_argon2(&mut fields)?;
                KdfKind::Argon2id { time, memory, cpus }
            }
            other => return Err(fields.bad("type", Problem::UnknownType { kind: other.to_owned() })),
        };
        Ok(Self { kind, salt: fields.bytes("salt")?, rest: fields.rest() })
    }

    fn read_argon2(fields: &mut Fields) -> Result<(u32, u32, u32), BadMetadata> {
        Ok((fields.uint32("time")?, fields.uint32("memory")?, fields.uint32("cpus")?))
    }

    fn to_object(&self) -> Object {
        let mut object = self.rest.clone();
        let mut put_argon2 = |kind, time, memory, cpus| {
            object.put_str("type", kind);
            object.put_u32("time", time);
            object.put_u32("memory", memory);
            object.put_u32("cpus", cpus);
        };
        match &self.kind {
            KdfKind::Pbkdf2 { hash, iterations } => {
                object.put_str("type", "pbkdf2");
                object.put_str("hash", hash);
                object.put_u32("iterations", *iterations);
            }
            KdfKind::Argon2i { time, memory, cpus } => put_argon2("argon2i", *time, *memory, *cpus),
            KdfKind::Argon2id { time, memory, cpus } => put_argon2("argon2id", *time, *memory, *cpus),
        }
        object.put_bytes("salt", &self.salt);
        object
    }
}
