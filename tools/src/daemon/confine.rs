//! What the daemon still does after its start, and may do then: docs/hardening.md.

use std::fs;
use std::path::{Path, PathBuf};

use nix::libc;

use super::settings::Section;
use crate::hardening::{Call, Needs, Where};

/// What the C library reads to find out the address of a host name.
const RESOLVER: [&str; 6] =
    ["/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services"];

/// Places that are not in the configuration.
pub(crate) struct Places<'a> {
    /// The state directory.
    pub(crate) state: &'a Path,
    /// The directory of the volumes' files.
    pub(crate) data: &'a Path,
    /// The configuration files that SIGHUP reads.
    pub(crate) config: &'a [PathBuf],
    /// The files and devices of volumes that lie elsewhere.
    pub(crate) volumes: &'a [PathBuf],
    /// Sockets that are removed at the end.
    pub(crate) sockets: Vec<PathBuf>,
}

/// What a daemon with this configuration needs.
pub(crate) fn needs(section: &Section, places: Places<'_>) -> Needs {
    let Places { state, data, config, volumes, sockets } = places;
    let mut changes = vec![state.to_owned(), data.to_owned()];
    let (dirs, things): (Vec<PathBuf>, Vec<PathBuf>) = section.places.iter().cloned().partition(|place| place.is_dir());
    let linked = dirs.iter().flat_map(|dir| link_targets(dir));
    let volumes = volumes.iter().cloned().chain(things).chain(linked).collect();
    changes.extend(dirs.iter().cloned());
    changes.extend(section.metadata.iter().map(|drive| home_of(drive)));
    let named = [&section.api_cert, &section.api_key, &section.nbd_cert, &section.nbd_key, &section.nbd_client_ca];
    let reread = named.into_iter().flatten().chain(config).flat_map(|file| neighbourhood(file));
    let resolver = RESOLVER.map(PathBuf::from);
    let followed = resolver.iter().filter(|file| file.is_symlink()).filter_map(|file| home(&file.canonicalize().ok()?));
    let reads = reread.chain(followed).chain(resolver.iter().cloned()).collect();
    Needs { removes: sockets, volumes, changes, reads, connects: true, calls: calls(), ..Needs::default() }
}

/// The directory of a metadata drive: one that is lost comes back as another one under the same name, and Landlock knows
/// the directory itself and not its name. At the root of the filesystem that would be everything.
fn home_of(drive: &Path) -> PathBuf {
    match drive.parent() {
        Some(parent) if parent.parent().is_some() => parent.to_owned(),
        _ => drive.to_owned(),
    }
}

/// What this process may use for volumes.
pub(crate) fn scope(section: &Section, places: &Places<'_>) -> Vec<PathBuf> {
    let dirs = section.places.iter().filter(|place| place.is_dir());
    let linked = dirs.flat_map(|dir| link_targets(dir));
    // What is not there now gets no rule, so it cannot be used later either.
    let named = section.places.iter().chain(places.volumes).cloned().chain(linked);
    named.filter(|path| path.exists()).collect()
}

/// Where it keeps its own: no volume is made there because somebody names the path.
pub(crate) fn own(section: &Section, places: &Places<'_>) -> Vec<PathBuf> {
    [places.state, places.data].map(Path::to_owned).into_iter().chain(section.metadata.iter().cloned()).collect()
}

/// The files and devices that symbolic links in a directory lead to, as those of a volume group do. Landlock knows things by
/// where they are, not by what leads there.
fn link_targets(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    let links = entries.map(|entry| entry.path()).filter(|path| path.is_symlink());
    links.filter_map(|link| link.canonicalize().ok()).filter(|target| !target.is_dir()).collect()
}

/// The directories in which a file is looked for: it may be replaced by another one of its name, and be a symbolic link.
fn neighbourhood(file: &Path) -> Vec<PathBuf> {
    let real = file.canonicalize().ok().and_then(|file| home(&file));
    home(file).into_iter().chain(real).collect()
}

/// The directory of a file.
fn home(file: &Path) -> Option<PathBuf> {
    let parent = file.parent()?;
    Some(if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent.to_owned() })
}

/// Beyond what every server does.
fn calls() -> Vec<Call> {
    const ANY: &[i64] = &[
        // files: Landlock says where
        libc::SYS_openat,
        libc::SYS_mkdirat,
        libc::SYS_renameat,
        libc::SYS_renameat2,
        libc::SYS_linkat,
        libc::SYS_readlinkat,
        libc::SYS_faccessat,
        libc::SYS_faccessat2,
        libc::SYS_getcwd,
        libc::SYS_getdents64,
        libc::SYS_flock,
        libc::SYS_statfs,
        libc::SYS_fstatfs,
        // key servers, and who they are
        libc::SYS_connect,
        libc::SYS_getsockname,
        libc::SYS_getpeername,
        libc::SYS_sendmmsg,
        libc::SYS_recvmmsg,
        // the API
        libc::SYS_epoll_create1,
        libc::SYS_epoll_ctl,
        libc::SYS_epoll_pwait,
        libc::SYS_eventfd2,
        libc::SYS_listen,
        // rekeys step back behind I/O
        libc::SYS_setpriority,
    ];
    #[cfg(target_arch = "x86_64")]
    const OLD: &[i64] = &[
        libc::SYS_mkdir,
        libc::SYS_rename,
        libc::SYS_link,
        libc::SYS_readlink,
        libc::SYS_access,
        libc::SYS_epoll_wait,
    ];
    #[cfg(not(target_arch = "x86_64"))]
    const OLD: &[i64] = &[];
    let any = ANY.iter().chain(OLD).map(|&number| Call::any(number));
    any.chain(LIMITED.iter().copied()).collect()
}

/// Sockets of the internet and local ones, and what is set on them.
const LIMITED: &[Call] = &[
    Call::only(libc::SYS_socket, &[Where::is(0, libc::AF_INET as u64)]),
    Call::only(libc::SYS_socket, &[Where::is(0, libc::AF_INET6 as u64)]),
    Call::only(libc::SYS_socket, &[Where::is(0, libc::AF_UNIX as u64)]),
    Call::only(libc::SYS_ioctl, &[Where::is(1, libc::FIONBIO)]),
    Call::only(libc::SYS_ioctl, &[Where::is(1, libc::FIONREAD)]),
    option(&[Where::is(1, libc::SOL_SOCKET as u64), Where::is(2, libc::SO_RCVTIMEO as u64)]),
    option(&[Where::is(1, libc::SOL_SOCKET as u64), Where::is(2, libc::SO_SNDTIMEO as u64)]),
    option(&[Where::is(1, libc::IPPROTO_IP as u64), Where::is(2, libc::IP_RECVERR as u64)]),
    option(&[Where::is(1, libc::IPPROTO_IPV6 as u64), Where::is(2, libc::IPV6_RECVERR as u64)]),
];

const fn option(only: &'static [Where]) -> Call {
    Call::only(libc::SYS_setsockopt, only)
}
