//! The envelope, and what it refuses. Source: DSSE v1; in-toto envelope v1.

use crate::broken::Check;
use crate::{Broken, ManifestKey, PublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The one payload type.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    #[serde(rename = "payloadType")]
    payload_type: String,
    payload: String,
    signatures: Vec<Signature>,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    keyid: String,
    sig: String,
}

/// What is signed: the type and the payload with their lengths. Source: DSSE, "PAE".
fn message(payload: &[u8]) -> Vec<u8> {
    let mut message = format!(
        "DSSEv1 {} {PAYLOAD_TYPE} {} ",
        PAYLOAD_TYPE.len(),
        payload.len()
    )
    .into_bytes();
    message.extend_from_slice(payload);
    message
}

/// Signs a payload and puts it into an envelope.
pub(crate) fn seal(payload: &[u8], key: &ManifestKey) -> Result<Vec<u8>, Broken> {
    let sig = STANDARD.encode(key.sign(&message(payload))?);
    let envelope = Envelope {
        payload_type: PAYLOAD_TYPE.to_owned(),
        payload: STANDARD.encode(payload),
        signatures: vec![Signature {
            keyid: key.public().key_id(),
            sig,
        }],
    };
    let mut bytes = serde_json::to_vec(&envelope)
        .map_err(|error| Broken::fails(Check::Signature, error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Opens an envelope that this key alone signed.
///
/// Refused: unknown or repeated members, any other payload type, no or several signatures, another
/// key's name, base64 that is not canonical, a signature that does not verify.
pub(crate) fn open(bytes: &[u8], key: &PublicKey) -> Result<Vec<u8>, Broken> {
    let refused = |what: &str| Broken::fails(Check::Signature, what);
    let envelope: Envelope = serde_json::from_slice(bytes)
        .map_err(|error| refused(&format!("the envelope can't be read: {error}")))?;
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(refused("the envelope holds another type of payload"));
    }
    let [signature] = envelope.signatures.as_slice() else {
        return Err(refused("the envelope has not exactly one signature"));
    };
    if signature.keyid != key.key_id() {
        return Err(refused(
            "the manifest is signed by another key than the one given",
        ));
    }
    let payload = STANDARD
        .decode(&envelope.payload)
        .map_err(|_| refused("the envelope's payload is no canonical base64"))?;
    let sig = STANDARD
        .decode(&signature.sig)
        .map_err(|_| refused("the envelope's signature is no canonical base64"))?;
    if key.signed(&message(&payload), &sig) {
        Ok(payload)
    } else {
        Err(refused("the manifest's signature does not verify"))
    }
}
