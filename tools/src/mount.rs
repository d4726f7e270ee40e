//! How to use an export: the lines that mount it, ready to be pasted.

use std::path::Path;

use datapath::export::nbd::{Listen, Uri};

/// A word as a POSIX shell reads it back.
pub(crate) fn quote(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/:=,+@%".contains(&byte);
    if word.bytes().all(plain) && !word.is_empty() {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// What a block device is to be made of.
pub(crate) enum Target<'a> {
    /// An NBD export.
    Uri(&'a str),
    /// The file of a FUSE export.
    File(&'a Path),
    /// It is one already.
    Device(&'a Path),
}

/// The lines for root on a machine without the nbd module: FUSE, then a loop device. `fresh`: no filesystem yet.
pub(crate) fn mount_lines(
    target: &Target<'_>,
    label: &str,
    sector_size: u32,
    fresh: bool,
    read_only: bool,
) -> Vec<String> {
    let dir = quote(&format!("/mnt/{label}"));
    let (attach, mount) = if read_only { (" --read-only", " -o ro") } else { ("", "") };
    let (mut lines, file) = match target {
        Target::Uri(uri) => {
            let disk = quote(&format!("/mnt/{label}.nbd"));
            let lines = vec![
                format!("mkdir -p {disk} {dir}"),
                format!("nbdfuse {disk}/disk {} &", quote(uri)),
                format!("until test -e {disk}/disk; do sleep 0.1; done"),
            ];
            (lines, format!("{disk}/disk"))
        }
        Target::File(path) | Target::Device(path) => (vec![format!("mkdir -p {dir}")], quote(&path.to_string_lossy())),
    };
    lines.push(match target {
        Target::Device(_) => format!("DEV={file}"),
        _ => format!("DEV=$(losetup --find --show{attach} --direct-io=on --sector-size={sector_size} {file})"),
    });
    if fresh {
        lines.push("mkfs.ext4 -E nodiscard \"$DEV\"".to_owned());
    }
    lines.push(format!("mount{mount} \"$DEV\" {dir}"));
    lines
}

/// The lines that undo [`mount_lines`].
pub(crate) fn unmount_lines(target: &Target<'_>, label: &str) -> Vec<String> {
    let (disk, dir) = (quote(&format!("/mnt/{label}.nbd")), quote(&format!("/mnt/{label}")));
    let mut lines = vec![format!("umount {dir}")];
    if !matches!(target, Target::Device(_)) {
        lines.push("losetup -d \"$DEV\"".to_owned());
    }
    if matches!(target, Target::Uri(_)) {
        lines.push(format!("umount {disk}"));
    }
    lines
}

/// The line that attaches the export with the kernel's NBD client, as root.
pub(crate) fn nbd_client(uri: &Uri, sector_size: u32) -> String {
    let place = match &uri.at {
        Listen::Unix(path) => format!("-unix {}", quote(&path.to_string_lossy())),
        Listen::Tcp(address) => format!("{} {}", address.ip(), address.port()),
    };
    let name = quote(&uri.export);
    format!("modprobe nbd && nbd-client {place} /dev/nbd0 -name {name} -block-size {sector_size}")
}

/// The arguments of QEMU for an NBD drive.
pub(crate) fn qemu_drive(uri: &str) -> String {
    format!("qemu-system-x86_64 … -drive {}", quote(&format!("file={},format=raw,if=virtio", option(uri))))
}

/// The arguments of QEMU for a device that reads guest memory itself, which therefore must be shared.
pub(crate) fn qemu_vhost_user(socket: &Path) -> String {
    let chardev = format!("socket,id=sear,path={},reconnect=1", option(&socket.to_string_lossy()));
    format!(
        "qemu-system-x86_64 … -m 2G -object memory-backend-memfd,id=memory,size=2G,share=on -machine \
         memory-backend=memory -chardev {} -device vhost-user-blk-pci,chardev=sear",
        quote(&chardev)
    )
}

/// A value as QEMU's options read it back.
fn option(value: &str) -> String {
    value.replace(',', ",,")
}

/// The name as a directory name: what could mislead a shell or leave the directory becomes an underscore.
pub(crate) fn label(name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '_' };
    let label: String = name.trim_start_matches(['.', '-']).chars().map(safe).collect();
    if label.is_empty() { "sear".to_owned() } else { label }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_survives_the_shell() {
        for word in ["plain", "", "two words", "it's", "$(rm -rf x)", "a;b"] {
            let script = format!("printf %s {}", quote(word));
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), word);
        }
    }

    #[test]
    fn a_comma_in_a_path_is_none_between_the_options_of_qemu() {
        assert!(qemu_vhost_user(Path::new("/run/a,b")).contains("path=/run/a,,b,reconnect=1"));
        assert!(qemu_drive("nbd+unix:///x,y?socket=/s").contains("file=nbd+unix:///x,,y?socket=/s,format=raw"));
    }

    #[test]
    fn a_label_is_one_harmless_path_component() {
        assert_eq!(label("../../etc"), "_.._etc");
        assert_eq!(label("-rf"), "rf");
        assert_eq!(label("disk.img"), "disk.img");
        assert_eq!(label(""), "sear");
        assert_eq!(label("a b"), "a_b");
    }
}
