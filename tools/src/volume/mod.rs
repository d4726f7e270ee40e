//! What the verbs share: where a volume lies, how it is made, and how it is opened with a master key.

mod create;
mod places;
mod record;
mod unlock;

pub(crate) use create::{Request, create};
pub(crate) use places::{Places, Situation, VolumePath};
pub(crate) use record::Volume;
pub(crate) use unlock::{master_key, unlock, uuid_in, uuid_of};
