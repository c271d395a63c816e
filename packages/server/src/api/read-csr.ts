import { BonafideError } from "@bonafide/errors";
import { type Csr, parseCsr, verifyCsr } from "@bonafide/pki";
import { SERVER_ERRORS } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/**
 * The public key of a request whose maker proved to hold the private one. Names in a request count for nothing.
 *
 * @returns DER of the SubjectPublicKeyInfo.
 * @throws REQUEST_INVALID  it is missing
 * @throws CSR_INVALID      it is no request, or not signed by its own key
 */
export function keyOfCsr(der: Uint8Array): Uint8Array {
  return provenCsr(der).spki;
}

/**
 * A request whose maker proved to hold the private key.
 *
 * @throws REQUEST_INVALID, CSR_INVALID  as {@link keyOfCsr}
 */
export function provenCsr(der: Uint8Array): Csr {
  if (der.length === 0) {
    throw new BonafideError(SERVER_ERRORS, "REQUEST_INVALID", "the CSR is missing");
  }
  if (der.length > LIMITS.csrBytes) {
    throw new BonafideError(SERVER_ERRORS, "CSR_INVALID", "the CSR is too large");
  }
  try {
    const csr = parseCsr(der);
    verifyCsr(csr);
    return csr;
  } catch (cause) {
    throw new BonafideError(SERVER_ERRORS, "CSR_INVALID", "the CSR is not one, or not proven", {
      cause,
    });
  }
}
