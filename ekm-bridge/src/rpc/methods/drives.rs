//! Drives.

use std::time::Instant;

use super::call::{Call, check_list, invalid};
use super::row::{Method, method};
use crate::rpc::control::Outcome;
use crate::rpc::types::drives::{AddDrives, DriveList, Drives, DrivesAdded, DrivesReset, ResetDetails, ResetDrives};
use crate::rpc::types::{AsyncHandle, DriveId, NoParams};

/// Drives of one call, at most.
const MAX_DRIVES: usize = 1_000;

pub(super) const METHODS: &[Method] = &[
    method!("ListDrives", (1, 0), Cluster, ReadOnly, Created, |call, _params: NoParams| {
        call.control.drives().map(|drives| Drives { drives })
    }),
    method!("AddDrives", (1, 0), Cluster, Administrator, Created, |call, params: AddDrives| add(call, &params)),
    method!("RemoveDrives", (1, 0), Cluster, Administrator, Created, |call, params: DriveList| {
        check_drives(&params.drives)?;
        call.control.remove_drives(&params.drives).map(|async_handle| AsyncHandle { async_handle })
    }),
    method!("SecureEraseDrives", (5, 0), Cluster, Administrator, Created, |call, params: DriveList| {
        check_drives(&params.drives)?;
        call.control.erase_drives(&params.drives).map(|async_handle| AsyncHandle { async_handle })
    }),
    method!("ResetDrives", (6, 0), Node, Administrator, Created, |call, params: ResetDrives| reset(call, &params)),
];

fn add(call: &Call<'_>, params: &AddDrives) -> Outcome<DrivesAdded> {
    let ids: Vec<DriveId> = params.drives.iter().map(|drive| drive.id).collect();
    check_drives(&ids)?;
    call.control.add_drives(&params.drives).map(|async_handle| DrivesAdded { async_handle })
}

fn check_drives(drives: &[DriveId]) -> Outcome<()> {
    check_list("drives", drives, MAX_DRIVES)?;
    let mut sorted = drives.to_vec();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(invalid(format!("parameter `drives` names drive {} twice", pair[0]))),
        None => Ok(()),
    }
}

fn reset(call: &Call<'_>, params: &ResetDrives) -> Outcome<DrivesReset> {
    if !params.force {
        return Err(invalid("parameter `force` has to be true: the drives are erased"));
    }
    let names: Vec<String> = params.drives.split(',').map(|name| name.trim().to_owned()).collect();
    if names.iter().any(String::is_empty) {
        return Err(invalid("parameter `drives` is not a list of device names, separated by commas"));
    }
    check_list("drives", &names, MAX_DRIVES)?;
    let begin = Instant::now();
    let drives = call.control.reset_drives(&names)?;
    let result = if drives.iter().all(|drive| drive.return_code == 0) { "Passed" } else { "Failed" };
    let (whole, micros) = (begin.elapsed().as_secs(), begin.elapsed().subsec_micros());
    let duration = format!("{:02}:{:02}:{:02}.{micros:06}", whole / 3600, whole / 60 % 60, whole % 60);
    Ok(DrivesReset { details: ResetDetails { drives }, duration: Some(duration), result: Some(result.into()) })
}
