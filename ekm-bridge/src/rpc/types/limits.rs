//! `GetLimits`: the numbers that callers may rely on. Code that enforces one takes it from here.

use serde::Serialize;

/// Volumes of a cluster, deleted ones not counted.
pub const VOLUME_COUNT_MAX: u64 = 4_000;
/// Bytes of the smallest volume.
pub const VOLUME_SIZE_MIN: u64 = 1_000_000_000;
/// Bytes of the largest volume.
pub const VOLUME_SIZE_MAX: u64 = 17_592_186_044_416;
/// Volume sizes are rounded up to a multiple of this.
pub const VOLUME_SIZE_STEP: u64 = 1_000_000;
/// Characters of a volume's name, at least.
pub const VOLUME_NAME_LENGTH_MIN: u64 = 1;
/// Characters of a volume's name, at most.
pub const VOLUME_NAME_LENGTH_MAX: u64 = 64;
/// Volumes that one bulk call may name.
pub const BULK_VOLUMES_MAX: usize = 500;
/// Bytes of the attributes of a volume, as JSON.
pub const ATTRIBUTES_BYTES_MAX: usize = 1_000;

macro_rules! limits {
    ($( $(#[$meta:meta])* $name:ident = $value:expr, )*) => {
        /// Result of `GetLimits`: the same whatever version is asked.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub struct Limits { $( $(#[$meta])* pub $name: u64, )* }

        impl Limits {
            /// The limits of this release.
            pub const CURRENT: Self = Self { $( $name: $value, )* };
        }
    };
}

limits! {
    /// Accounts of a cluster.
    account_count_max = 5_000,
    /// Characters of an account's name, at most.
    account_name_length_max = 64,
    /// Characters of an account's name, at least.
    account_name_length_min = 1,
    /// Bulk jobs on one volume: there are none here.
    bulk_volume_jobs_per_volume_max = 0,
    /// Copies of one volume at a time: there are none here.
    clone_jobs_per_volume_max = 0,
    /// Key providers of a cluster.
    key_provider_count_max = 16,
    /// Key servers of a cluster.
    key_server_count_max = 64,
    /// Characters of a CHAP secret, at most.
    secret_length_max = 16,
    /// Characters of a CHAP secret, at least.
    secret_length_min = 12,
    /// Snapshots of one volume: there are none here.
    snapshots_per_volume_max = 0,
    /// I/O operations per second of a burst, at most.
    #[serde(rename = "volumeBurstIOPSMax")]
    volume_burst_iops_max = 200_000,
    /// I/O operations per second of a burst, at least.
    #[serde(rename = "volumeBurstIOPSMin")]
    volume_burst_iops_min = 100,
    /// Volumes of a cluster.
    volume_count_max = VOLUME_COUNT_MAX,
    /// I/O operations per second allowed to a volume, at most.
    #[serde(rename = "volumeMaxIOPSMax")]
    volume_max_iops_max = 200_000,
    /// I/O operations per second allowed to a volume, at least.
    #[serde(rename = "volumeMaxIOPSMin")]
    volume_max_iops_min = 100,
    /// I/O operations per second kept for a volume, at most.
    #[serde(rename = "volumeMinIOPSMax")]
    volume_min_iops_max = 15_000,
    /// I/O operations per second kept for a volume, at least.
    #[serde(rename = "volumeMinIOPSMin")]
    volume_min_iops_min = 50,
    /// Characters of a volume's name, at most.
    volume_name_length_max = VOLUME_NAME_LENGTH_MAX,
    /// Characters of a volume's name, at least.
    volume_name_length_min = VOLUME_NAME_LENGTH_MIN,
    /// Bytes of the largest volume.
    volume_size_max = VOLUME_SIZE_MAX,
    /// Bytes of the smallest volume.
    volume_size_min = VOLUME_SIZE_MIN,
    /// Volumes of one account.
    volumes_per_account_count_max = 2_000,
}
