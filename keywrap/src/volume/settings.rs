//! Settings that live in the header and are covered by the token's MAC.

use super::error::VolumeError;
use super::seal::context;
use super::unlock::verified_token;
use crate::derive;
use crate::keys::{KeyId, MasterKey};
use crate::luks2::mac;
use crate::luks2::store::Store;
use crate::luks2::token::SearToken;
use crate::medium::Medium;

/// Lets discards pass to the device below, or stops them (LUKS2 config flag `allow-discards`, which dm-crypt obeys
/// too). The token is sealed anew, so the master key is needed.
///
/// # Errors
/// [`VolumeError::OtherMasterKeys`] when the volume has tokens of other master keys, as in the middle of a rekey;
/// those of checking the token; and those of changing the header. A cut leaves the old setting or the new one.
pub fn set_discards(header: &dyn Medium, key_id: KeyId, master: &MasterKey, on: bool) -> Result<(), VolumeError> {
    let mut store = Store::open(header)?;
    let mut token = verified_token(store.header(), key_id, master)?;
    let mut metadata = store.header().metadata.clone();
    let mut tokens = Vec::new();
    for (number, token) in SearToken::all(&metadata) {
        tokens.push((number, token?.key_id));
    }
    let others: Vec<_> = tokens.iter().map(|&(_, id)| id).filter(|&id| id != key_id).collect();
    if !others.is_empty() {
        return Err(VolumeError::OtherMasterKeys(others));
    }
    metadata.config.set_allow_discards(on);
    let uuid = &store.header().uuid;
    let mac_key = derive::mac_key(master, context(&token, uuid.as_str()));
    mac::seal(&mac_key, uuid, &metadata, &mut token)?;
    metadata.tokens.extend(tokens.iter().map(|&(number, _)| (number, token.to_token())));
    Ok(store.commit(metadata)?)
}
