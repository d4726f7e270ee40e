//! OpenSSL 4, built from source by the build script and declared here by hand (crypto.h, evp.h of OpenSSL 4.0).

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::{self, NonNull};

use datapath::cipher::{Buffers, Direction};
use keywrap::keys::VolumeKey;

use super::{Peer, Raw};

unsafe extern "C" {
    fn OpenSSL_version(kind: c_int) -> *const c_char;
    fn EVP_CIPHER_fetch(library: *mut c_void, name: *const c_char, properties: *const c_char) -> *mut c_void;
    fn EVP_CIPHER_free(cipher: *mut c_void);
    fn EVP_CIPHER_CTX_new() -> *mut c_void;
    fn EVP_CIPHER_CTX_free(context: *mut c_void);
    fn EVP_CipherInit_ex2(
        context: *mut c_void,
        cipher: *const c_void,
        key: *const u8,
        iv: *const u8,
        encrypt: c_int,
        parameters: *const c_void,
    ) -> c_int;
    fn EVP_CipherUpdate(context: *mut c_void, out: *mut u8, written: *mut c_int, from: *const u8, len: c_int) -> c_int;
}

/// An `EVP_CIPHER_CTX` with a key schedule for one direction. Invariant: the pointer is owned and initialised.
struct Context(NonNull<c_void>);

// SAFETY: OpenSSL's contexts are bound to no thread; they must only not be used by two at once, which `&mut` rules out.
unsafe impl Send for Context {}

struct OpenSsl {
    encrypt: Context,
    decrypt: Context,
}

pub(super) fn version() -> String {
    // SAFETY: the function takes any number and returns a string with static lifetime; 0 is OPENSSL_VERSION.
    let version = unsafe { CStr::from_ptr(OpenSSL_version(0)) };
    version.to_string_lossy().into_owned()
}

pub(super) fn peer(key: &VolumeKey) -> Box<dyn Peer> {
    Box::new(OpenSsl { encrypt: Context::new(key, 1), decrypt: Context::new(key, 0) })
}

impl Peer for OpenSsl {
    fn unit(&mut self, direction: Direction, mut buffers: Buffers<'_>, tweak: [u8; 16]) {
        let raw = Raw::new(&mut buffers);
        match direction {
            Direction::Encrypt => self.encrypt.unit(&raw, tweak),
            Direction::Decrypt => self.decrypt.unit(&raw, tweak),
        }
    }
}

impl Context {
    fn new(key: &VolumeKey, encrypt: c_int) -> Self {
        let key = key.expose_secret();
        assert_eq!(key.len(), 64, "AES-256-XTS has a key of 64 bytes");
        // SAFETY: no preconditions; null, for no memory, is checked.
        let context = Self(NonNull::new(unsafe { EVP_CIPHER_CTX_new() }).expect("memory for a context"));
        // SAFETY: the context was just made; the cipher is fetched by a string that ends in zero, takes a key of 64
        // bytes, as the slice has, and is kept alive by the context after it is freed here; no tweak is given yet.
        let done = unsafe {
            let cipher = EVP_CIPHER_fetch(ptr::null_mut(), c"AES-256-XTS".as_ptr(), ptr::null());
            assert!(!cipher.is_null(), "OpenSSL has AES-256-XTS");
            let context = context.0.as_ptr();
            let done = EVP_CipherInit_ex2(context, cipher, key.as_ptr(), ptr::null(), encrypt, ptr::null());
            EVP_CIPHER_free(cipher);
            done
        };
        assert_eq!(done, 1, "OpenSSL takes the key");
        context
    }

    fn unit(&mut self, raw: &Raw, tweak: [u8; 16]) {
        let mut written = 0;
        // SAFETY: the context is initialised; the tweak has the 16 bytes that XTS takes; source and destination are valid
        // for `len` bytes and equal or apart, by the invariant of `Raw`, and XTS writes as many bytes as it reads.
        let done = unsafe {
            let context = self.0.as_ptr();
            EVP_CipherInit_ex2(context, ptr::null(), ptr::null(), tweak.as_ptr(), -1, ptr::null())
                & EVP_CipherUpdate(context, raw.to, &raw mut written, raw.from, raw.len)
        };
        assert!(done == 1 && written == raw.len, "OpenSSL handles the whole unit");
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the context is owned and freed once.
        unsafe { EVP_CIPHER_CTX_free(self.0.as_ptr()) }
    }
}
