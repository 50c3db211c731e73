use super::{Keystore, RootId};
use crate::{Key, Unkept};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11 as Module};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::AuthPin;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use terms::KeystoreKind;
use zeroize::Zeroizing;

/// Root keys in a token or hardware module: AES-256, made there, never let out.
///
/// Source: PKCS #11 v2.40 (OASIS), `CKM_AES_KEY_WRAP` (RFC 3394).
pub struct Pkcs11 {
    token: Token,
    session: Mutex<Session>,
}

/// Which token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The vendor's library.
    pub module: PathBuf,
    /// The token's label.
    pub label: String,
}

/// Libraries in use. One is loaded and initialized once a process, and stays.
static MODULES: Mutex<BTreeMap<PathBuf, Module>> = Mutex::new(BTreeMap::new());

// === impl Pkcs11 ===

impl Pkcs11 {
    /// Logs in to a token. The PIN is not kept.
    ///
    /// A wrong PIN is tried once. Where the token says that one try is left, it is not taken: a gateway
    /// that is restarted again and again must not be what locks the token.
    ///
    /// # Errors
    /// [`Unkept::WrongSecret`], [`Unkept::LockedOut`], [`Unkept::LastTry`], or the token's own.
    pub fn open(token: Token, pin: &Zeroizing<String>) -> Result<Self, Unkept> {
        let module = loaded(&token)?;
        let slot = found(&module, &token)?;
        let info = module.get_token_info(slot);
        may_try(&info.map_err(|error| failed("the token tells nothing of itself", &error))?)?;
        let session = module.open_rw_session(slot);
        let session = session.map_err(|error| failed("no session", &error))?;
        let pin = AuthPin::new(pin.as_str().into());
        let login = session.login(UserType::User, Some(&pin));
        login.map_err(|error| refused(&error))?;
        Ok(Self {
            token,
            session: Mutex::new(session),
        })
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keystore for Pkcs11 {
    fn kind(&self) -> KeystoreKind {
        KeystoreKind::Pkcs11
    }

    fn make(&self, root: &RootId) -> Result<(), Unkept> {
        let session = self.session();
        if object(&session, root)?.is_some() {
            return Err(Unkept::Keystore {
                what: format!("the token has a key `{root}` already"),
            });
        }
        let template = [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Wrap(true),
            Attribute::Unwrap(true),
            Attribute::Encrypt(false),
            Attribute::Decrypt(false),
            Attribute::ValueLen(32.into()),
            Attribute::Id(root.as_str().as_bytes().to_vec()),
            Attribute::Label(format!("bonded root {root}").into_bytes()),
        ];
        let made = session.generate_key(&Mechanism::AesKeyGen, &template);
        made.map_err(|error| failed("no key was made", &error))?;
        Ok(())
    }

    fn wrap(&self, root: &RootId, key: &Key) -> Result<Vec<u8>, Unkept> {
        let session = self.session();
        let under = present(&session, root)?;
        // Goes in for this call alone, so that the token can wrap it.
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::Token(false),
            Attribute::Private(true),
            Attribute::Extractable(true),
            Attribute::Value(key.bytes().to_vec()),
        ];
        let inside = session.create_object(&template);
        let inside = inside.map_err(|error| failed("a key did not go in", &error))?;
        let wrapped = session.wrap_key(&Mechanism::AesKeyWrap, under, inside);
        let removed = session.destroy_object(inside);
        removed.map_err(|error| failed("a key did not go out", &error))?;
        wrapped.map_err(|error| failed("a key was not wrapped", &error))
    }

    fn unwrap(&self, root: &RootId, wrapped: &[u8]) -> Result<Key, Unkept> {
        let session = self.session();
        let under = present(&session, root)?;
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::Token(false),
            Attribute::Private(true),
            Attribute::Sensitive(false),
            Attribute::Extractable(true),
        ];
        // A token says in its own way that the bytes are not what it wrapped.
        let inside = session
            .unwrap_key(&Mechanism::AesKeyWrap, under, wrapped, &template)
            .map_err(|_| Unkept::SealBroken)?;
        let read = session.get_attributes(inside, &[AttributeType::Value]);
        let removed = session.destroy_object(inside);
        removed.map_err(|error| failed("a key did not go out", &error))?;
        let read = read.map_err(|error| failed("a key was not opened", &error))?;
        let value = read.into_iter().find_map(|attribute| {
            if let Attribute::Value(bytes) = attribute {
                return Some(Zeroizing::new(bytes));
            }
            None
        });
        let value = value.ok_or(Unkept::SealBroken)?;
        let bytes = <[u8; 32]>::try_from(value.as_slice()).map_err(|_| Unkept::SealBroken)?;
        Ok(Key::from_bytes(bytes))
    }

    fn destroy(&self, root: &RootId) -> Result<(), Unkept> {
        let session = self.session();
        let Some(object) = object(&session, root)? else {
            return Ok(());
        };
        let destroyed = session.destroy_object(object);
        destroyed.map_err(|error| failed("a key was not destroyed", &error))
    }

    fn roots(&self, like: &RootId) -> Result<Vec<RootId>, Unkept> {
        let session = self.session();
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::Token(true),
        ];
        let objects = session.find_objects(&template);
        let objects = objects.map_err(|error| failed("the token lists nothing", &error))?;
        let mut roots = Vec::new();
        for object in objects {
            let read = session.get_attributes(object, &[AttributeType::Id]);
            for attribute in read.map_err(|error| failed("a key has no name", &error))? {
                if let Attribute::Id(bytes) = attribute {
                    let root = std::str::from_utf8(&bytes)
                        .ok()
                        .and_then(|id| id.parse().ok());
                    roots.extend(root.filter(|root: &RootId| root.owner() == like.owner()));
                }
            }
        }
        Ok(roots)
    }
}

impl std::fmt::Debug for Pkcs11 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pkcs11")
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}

fn loaded(token: &Token) -> Result<Module, Unkept> {
    let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(module) = modules.get(&token.module) {
        return Ok(module.clone());
    }
    let module = Module::new(&token.module);
    let module = module.map_err(|error| failed("the module does not load", &error))?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(failed("the module does not start", &error)),
    }
    modules.insert(token.module.clone(), module.clone());
    Ok(module)
}

/// The slot of the one token with this label.
fn found(module: &Module, token: &Token) -> Result<Slot, Unkept> {
    let slots = module.get_slots_with_token();
    let slots = slots.map_err(|error| failed("the module has no slots", &error))?;
    let mut named = slots.into_iter().filter(|slot| {
        let info = module.get_token_info(*slot);
        info.is_ok_and(|info| info.label() == token.label)
    });
    match (named.next(), named.next()) {
        (Some(slot), None) => Ok(slot),
        (None, _) => Err(Unkept::Keystore {
            what: format!("there is no token `{}`", token.label),
        }),
        (Some(_), Some(_)) => Err(Unkept::Keystore {
            what: format!("there is more than one token `{}`", token.label),
        }),
    }
}

fn may_try(info: &TokenInfo) -> Result<(), Unkept> {
    if info.user_pin_locked() {
        return Err(Unkept::LockedOut(KeystoreKind::Pkcs11));
    }
    if info.user_pin_final_try() {
        return Err(Unkept::LastTry);
    }
    Ok(())
}

/// Why a login failed.
fn refused(error: &Error) -> Unkept {
    let is = |wanted: &[RvError]| matches!(error, Error::Pkcs11(why, _) if wanted.contains(why));
    if is(&[RvError::PinLocked]) {
        return Unkept::LockedOut(KeystoreKind::Pkcs11);
    }
    if is(&[
        RvError::PinIncorrect,
        RvError::PinLenRange,
        RvError::PinInvalid,
    ]) {
        return Unkept::WrongSecret(KeystoreKind::Pkcs11);
    }
    if is(&[RvError::UserAlreadyLoggedIn]) {
        // Somebody in this process has the token open: whether the PIN is right, it would not say.
        return Unkept::Keystore {
            what: "the token is open in this process already".to_owned(),
        };
    }
    failed("the login failed", error)
}

fn object(session: &Session, root: &RootId) -> Result<Option<ObjectHandle>, Unkept> {
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::Token(true),
        Attribute::Id(root.as_str().as_bytes().to_vec()),
    ];
    let found = session.find_objects(&template);
    let found = found.map_err(|error| failed("the token finds nothing", &error))?;
    Ok(found.into_iter().next())
}

fn present(session: &Session, root: &RootId) -> Result<ObjectHandle, Unkept> {
    object(session, root)?.ok_or_else(|| Unkept::NoSuchKey { root: root.clone() })
}

fn failed(what: &str, error: &Error) -> Unkept {
    Unkept::Keystore {
        what: format!("{what}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cryptoki::context::Function;

    #[test]
    fn a_locked_token_is_told_apart_from_a_wrong_pin() {
        let code = |error| refused(&Error::Pkcs11(error, Function::Login)).code();
        assert_eq!(code(RvError::PinLocked), "vault.locked-out");
        assert_eq!(code(RvError::PinIncorrect), "vault.wrong-secret");
        assert_eq!(code(RvError::TokenNotPresent), "vault.keystore");
    }

    #[test]
    fn a_module_that_is_not_there_is_told() {
        let token = Token {
            module: "/nowhere/module.so".into(),
            label: "x".to_owned(),
        };
        let pin = Zeroizing::new("1234".to_owned());
        let cause = Pkcs11::open(token, &pin).unwrap_err();
        assert_eq!(cause.code(), "vault.keystore");
    }
}
