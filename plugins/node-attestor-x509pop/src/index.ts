export { type AuthorityFiles, openAuthorityFiles } from "./authority-files.ts";
export { checkPathTemplate } from "./path-template.ts";
export {
  createX509popAttestor,
  type X509popAttestorOptions,
  type X509popTrust,
} from "./x509pop-attestor.ts";
export { createX509popProver, type X509popProverOptions } from "./x509pop-prover.ts";
