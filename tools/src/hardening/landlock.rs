//! Landlock: no file of the system can be opened, made or removed any more, but for what the end needs. What is open
//! stays open. Where the kernel has the means, no TCP port can be bound or connected to either, and no signal or
//! abstract socket reaches another process. (landlock(7); the domain is per thread and inherited.)

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, PathBeneath, PathFd, RestrictSelf, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

pub(crate) use landlock::LandlockStatus;

use super::Needs;

/// The newest rights that were tested. Those that the running kernel does not know are left out.
const KNOWN: ABI = ABI::V7;

/// The rules for a process with these needs. A path that is not there gets no rule, so nothing is allowed there.
///
/// # Errors
/// The operating system's refusal.
pub(super) fn rules(needs: &Needs) -> Result<RulesetCreated, RulesetError> {
    let ports = if needs.connects { AccessNet::BindTcp.into() } else { AccessNet::from_all(KNOWN) };
    let mut rules = Ruleset::default()
        .handle_access(AccessFs::from_all(KNOWN))?
        .handle_access(ports)?
        .scope(Scope::from_all(KNOWN))?
        .create()?;
    for file in &needs.removes {
        rules = allow(rules, file.parent().unwrap_or(Path::new("/")), AccessFs::RemoveFile.into())?;
    }
    for file in &needs.opens {
        rules = allow(rules, file, AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev)?;
    }
    for volume in needs.volumes.iter().filter(|volume| volume.exists()) {
        let grown = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate;
        rules = allow(rules, volume, grown | AccessFs::IoctlDev)?;
    }
    for dir in &needs.changes {
        rules = allow(rules, dir, CHANGE.into_iter().collect())?;
    }
    for place in needs.reads.iter().filter(|place| place.exists()) {
        let dir = if place.is_dir() { AccessFs::ReadDir.into() } else { BitFlags::empty() };
        rules = allow(rules, place, dir | AccessFs::ReadFile)?;
    }
    Ok(rules)
}

/// What is done to files and directories: no program is run, no device or socket made, nothing moved to another directory.
const CHANGE: [AccessFs; 8] = [
    AccessFs::ReadFile,
    AccessFs::WriteFile,
    AccessFs::Truncate,
    AccessFs::ReadDir,
    AccessFs::MakeReg,
    AccessFs::MakeDir,
    AccessFs::RemoveFile,
    AccessFs::RemoveDir,
];

fn allow(rules: RulesetCreated, path: &Path, access: BitFlags<AccessFs>) -> Result<RulesetCreated, RulesetError> {
    match PathFd::new(path) {
        Ok(place) => rules.add_rule(PathBeneath::new(place, access)),
        Err(error) => {
            tracing::warn!(%error, path = %path.display(), "what is to be done there later will fail");
            Ok(rules)
        }
    }
}

/// Puts the calling thread under the rules. Whether the kernel has Landlock.
///
/// # Errors
/// The operating system's refusal.
pub(super) fn restrict(rules: &RulesetCreated) -> Result<bool, Box<dyn std::error::Error>> {
    Ok(rules.try_clone()?.restrict_self()?.ruleset != RulesetStatus::NotEnforced)
}

/// What the running kernel has. Nothing is restricted.
pub(crate) fn status() -> LandlockStatus {
    let nothing = RestrictSelf::default().no_new_privs(false);
    nothing.apply().map_or(LandlockStatus::NotImplemented, |status| status.landlock)
}
