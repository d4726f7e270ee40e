//! What the verbs share: where a volume lies, how it is made, and how it is opened with a master key.

mod create;
mod passphrases;
mod places;
mod record;
mod unlock;

pub(crate) use create::{Request, check, create, make};
pub(crate) use passphrases::{change_passphrases, stretch};
pub(crate) use places::{Places, Situation, VolumePath};
pub(crate) use record::Volume;
pub(crate) use unlock::{master_key, segment_of, unlock, uuid_in, uuid_of};
