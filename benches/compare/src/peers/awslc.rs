//! AWS-LC through `aws-lc-sys`, whose symbols carry a prefix of their own and so do not meet OpenSSL's.

use std::ptr::{self, NonNull};

use aws_lc_sys as ffi;
use datapath::cipher::{Buffers, Direction};
use keywrap::keys::VolumeKey;

use super::{Peer, Raw};

/// An `EVP_CIPHER_CTX` with a key schedule for one direction. Invariant: the pointer is owned and initialised.
struct Context(NonNull<ffi::EVP_CIPHER_CTX>);

// SAFETY: AWS-LC's contexts are bound to no thread; they must only not be used by two at once, which `&mut` rules out.
unsafe impl Send for Context {}

struct AwsLc {
    encrypt: Context,
    decrypt: Context,
}

pub(super) fn version() -> String {
    let version = String::from_utf8_lossy(ffi::AWSLC_VERSION_NUMBER_STRING);
    format!("AWS-LC {}", version.trim_end_matches('\0'))
}

pub(super) fn peer(key: &VolumeKey) -> Box<dyn Peer> {
    Box::new(AwsLc { encrypt: Context::new(key, 1), decrypt: Context::new(key, 0) })
}

impl Peer for AwsLc {
    fn unit(&mut self, direction: Direction, mut buffers: Buffers<'_>, tweak: [u8; 16]) {
        let raw = Raw::new(&mut buffers);
        match direction {
            Direction::Encrypt => self.encrypt.unit(&raw, tweak),
            Direction::Decrypt => self.decrypt.unit(&raw, tweak),
        }
    }
}

impl Context {
    fn new(key: &VolumeKey, encrypt: i32) -> Self {
        let key = key.expose_secret();
        assert_eq!(key.len(), 64, "AES-256-XTS has a key of 64 bytes");
        // SAFETY: no preconditions; null, for no memory, is checked.
        let context = Self(NonNull::new(unsafe { ffi::EVP_CIPHER_CTX_new() }).expect("memory for a context"));
        // SAFETY: the context was just made; the cipher is static and takes a key of 64 bytes, as the slice has; no
        // tweak is given yet.
        let done = unsafe {
            let cipher = ffi::EVP_aes_256_xts();
            ffi::EVP_CipherInit_ex(context.0.as_ptr(), cipher, ptr::null_mut(), key.as_ptr(), ptr::null(), encrypt)
        };
        assert_eq!(done, 1, "AWS-LC takes the key");
        context
    }

    fn unit(&mut self, raw: &Raw, tweak: [u8; 16]) {
        let mut written = 0;
        // SAFETY: the context is initialised; the tweak has the 16 bytes that XTS takes; source and destination are valid
        // for `len` bytes and equal or apart, by the invariant of `Raw`, and XTS writes as many bytes as it reads.
        let done = unsafe {
            let context = self.0.as_ptr();
            ffi::EVP_CipherInit_ex(context, ptr::null(), ptr::null_mut(), ptr::null(), tweak.as_ptr(), -1)
                & ffi::EVP_CipherUpdate(context, raw.to, &raw mut written, raw.from, raw.len)
        };
        assert!(done == 1 && written == raw.len, "AWS-LC handles the whole unit");
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the context is owned and freed once.
        unsafe { ffi::EVP_CIPHER_CTX_free(self.0.as_ptr()) }
    }
}
