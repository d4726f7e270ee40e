//! Volumes that lie anywhere, their passphrases and their headers. Element has no such methods; these are ours.

use super::call::{Call, Caller, check_length, invalid};
use super::row::{Method, method};
use crate::rpc::control::Outcome;
use crate::rpc::error::{ApiError, ErrorName};
use crate::rpc::types::NoParams;
use crate::rpc::types::places::{
    AddPassphrase, AdoptVolume, AllPlaces, CreateVolumeAt, ExportKey, ExportedKey, OnePlace, RestoreHeader,
};

pub(super) const METHODS: &[Method] = &[
    method!("ListVolumePlaces", (12, 3), Cluster, ReadOnly, Created, |call, _params: NoParams| {
        call.control.volume_places().map(|volume_places| AllPlaces { volume_places })
    }),
    method!("CreateVolumeAt", (12, 3), Cluster, Administrator, Created, |call, params: CreateVolumeAt| {
        create(call, params)
    }),
    method!("AdoptVolume", (12, 3), Cluster, Administrator, Created, |call, params: AdoptVolume| {
        check_place(&params.name, &params.path, params.header_path.as_deref())?;
        call.control.adopt_volume(params).map(one)
    }),
    method!("AddVolumePassphrase", (12, 3), Cluster, Administrator, Created, |call, params: AddPassphrase| {
        call.control.add_passphrase(params)
    }),
    method!("ExportVolumeKey", (12, 3), Cluster, Administrator, Created, |call, params: ExportKey| {
        export(call, params)
    }),
    method!("RestoreVolumeHeader", (12, 3), Cluster, Administrator, Created, |call, params: RestoreHeader| {
        call.control.restore_header(&params).map(one)
    }),
];

fn one(volume_place: crate::rpc::types::places::PlacedVolume) -> OnePlace {
    OnePlace { volume_place }
}

fn create(call: &Call<'_>, new: CreateVolumeAt) -> Outcome<OnePlace> {
    check_place(&new.name, &new.path, new.header_path.as_deref())?;
    if new.total_size == Some(0) {
        return Err(invalid("parameter `totalSize` is at least one sector"));
    }
    if new.sector_size.is_some_and(|size| ![512, 1024, 2048, 4096].contains(&size)) {
        return Err(invalid("parameter `sectorSize` is 512, 1024, 2048 or 4096"));
    }
    call.control.create_volume_at(new).map(one)
}

fn check_place(name: &str, path: &str, header: Option<&str>) -> Outcome<()> {
    check_length("name", name, 64)?;
    check_length("path", path, 4095)?;
    if header == Some(path) {
        return Err(invalid("parameter `headerPath` is another one than `path`"));
    }
    header.map_or(Ok(()), |header| check_length("headerPath", header, 4095))
}

/// What leaves this way opens the volume without any key manager. It does not leave the machine.
fn export(call: &Call<'_>, params: ExportKey) -> Outcome<ExportedKey> {
    if !matches!(call.caller, Caller::Local { .. }) {
        let message = "ExportVolumeKey: key material is given out over the local socket only: sear volume export-key";
        return Err(ApiError::new(ErrorName::PermissionDenied, message));
    }
    call.control.export_key(params.id)
}
