// Verifies DSSE envelopes with @sigstore/verify: reads {"envelope", "key"} lines, answers "ok" or the error's code.
const readline = require("readline"), crypto = require("crypto");
const { toSignedEntity, toTrustMaterial, Verifier } = require("@sigstore/verify");
const { bundleFromJSON, bundleToJSON } = require("@sigstore/bundle");

function judge({ envelope, key }) {
  const hint = "domain";
  const json = {
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: { publicKey: { hint }, tlogEntries: [] },
    dsseEnvelope: envelope,
  };
  const bundle = bundleFromJSON(json);
  // The library decodes base64 that has a second spelling; what it would write must be what was read.
  const again = bundleToJSON(bundle).dsseEnvelope;
  if (again.payload !== envelope.payload || again.signatures.some((s, n) => s.sig !== envelope.signatures[n].sig)) return "SECOND_SPELLING";
  const root = { mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1", tlogs: [], certificateAuthorities: [], ctlogs: [], timestampAuthorities: [] };
  const finder = () => ({ publicKey: crypto.createPublicKey(key), validFor: () => true });
  const verifier = new Verifier(toTrustMaterial(root, finder), { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });
  verifier.verify(toSignedEntity(bundle));
  return "ok";
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  try { console.log(judge(JSON.parse(line))); } catch (error) { console.log(error.code || error.message); }
});
