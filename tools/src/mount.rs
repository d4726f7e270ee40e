//! How to use an export: its NBD URI, and the lines that mount it, ready to be pasted.

use std::path::Path;

/// The characters of RFC 3986 that need no escape in a path or query, section 2.3 and '/'.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte)
}

/// Percent-encoding, RFC 3986 section 2.1.
fn escape(bytes: &[u8]) -> String {
    let escaped = |byte: &u8| if is_plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") };
    bytes.iter().map(escaped).collect()
}

/// The URI of an export on a unix socket, as the NBD project's "uri.md" defines it.
pub(crate) fn unix_uri(socket: &Path, name: &str, tls: bool) -> String {
    let scheme = if tls { "nbds+unix" } else { "nbd+unix" };
    format!("{scheme}:///{}?socket={}", escape(name.as_bytes()), escape(socket.as_os_str().as_encoded_bytes()))
}

/// The URI of an export on a TCP port.
pub(crate) fn tcp_uri(host: &str, port: u16, name: &str, tls: bool) -> String {
    let scheme = if tls { "nbds" } else { "nbd" };
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    format!("{scheme}://{host}:{port}/{}", escape(name.as_bytes()))
}

/// A word as a POSIX shell reads it back.
pub(crate) fn quote(word: &str) -> String {
    if word.bytes().all(is_plain) && !word.is_empty() {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// The lines for root on a machine without the nbd module: FUSE, then a loop device. `fresh`: no filesystem yet.
pub(crate) fn mount_lines(uri: &str, label: &str, sector_size: u32, fresh: bool, read_only: bool) -> Vec<String> {
    let (disk, dir) = (quote(&format!("/mnt/{label}.nbd")), quote(&format!("/mnt/{label}")));
    let (attach, mount) = if read_only { (" --read-only", " -o ro") } else { ("", "") };
    let mut lines = vec![
        format!("mkdir -p {disk} {dir}"),
        format!("nbdfuse {disk}/disk {} &", quote(uri)),
        format!("until test -e {disk}/disk; do sleep 0.1; done"),
        format!("DEV=$(losetup --find --show{attach} --direct-io=on --sector-size={sector_size} {disk}/disk)"),
    ];
    if fresh {
        lines.push("mkfs.ext4 \"$DEV\"".to_owned());
    }
    lines.push(format!("mount{mount} \"$DEV\" {dir}"));
    lines
}

/// The lines that undo [`mount_lines`].
pub(crate) fn unmount_lines(label: &str) -> Vec<String> {
    let (disk, dir) = (quote(&format!("/mnt/{label}.nbd")), quote(&format!("/mnt/{label}")));
    vec![format!("umount {dir}"), "losetup -d \"$DEV\"".to_owned(), format!("umount {disk}")]
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
    fn uris_escape_what_a_uri_cannot_hold() {
        assert_eq!(
            unix_uri(Path::new("/run/a b.sock"), "disk&1", false),
            "nbd+unix:///disk%261?socket=/run/a%20b.sock"
        );
        assert_eq!(unix_uri(Path::new("/s"), "ü", true), "nbds+unix:///%C3%BC?socket=/s");
        assert_eq!(tcp_uri("::1", 10809, "x", false), "nbd://[::1]:10809/x");
        assert_eq!(tcp_uri("host", 1, "", true), "nbds://host:1/");
    }

    #[test]
    fn quoting_survives_the_shell() {
        for word in ["plain", "", "two words", "it's", "$(rm -rf x)", "a;b"] {
            let script = format!("printf %s {}", quote(word));
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), word);
        }
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
