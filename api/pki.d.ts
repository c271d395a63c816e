// @bonafide/pki

export interface AlternativeName {
    readonly kind: "uri" | "dns" | "email" | "ip" | "directory" | "registered-id" | "other";
    readonly bytes: Uint8Array;
}

export interface AuthorityTemplate extends CertificateTemplate {
    readonly pathLength?: number;
    readonly uriConstraints?: {
        readonly permitted?: readonly string[];
        readonly excluded?: readonly string[];
    };
}

export interface Certificate {
    readonly der: Uint8Array;
    readonly tbs: Uint8Array;
    readonly serial: bigint;
    readonly serialText: string;
    readonly signatureAlgorithm: string;
    readonly signature: Uint8Array;
    readonly issuer: Uint8Array;
    readonly subject: Uint8Array;
    readonly notBefore: number;
    readonly notAfter: number;
    readonly spki: Uint8Array;
    readonly isAuthority: boolean;
    readonly pathLength: number | undefined;
    readonly keyUsage: number | undefined;
    readonly extendedKeyUsage: readonly string[] | undefined;
    readonly subjectKeyId: Uint8Array | undefined;
    readonly authorityKeyId: Uint8Array | undefined;
    readonly alternativeNames: readonly AlternativeName[];
    readonly uris: readonly string[];
    readonly dnsNames: readonly string[];
    readonly uriConstraints: UriConstraints | undefined;
    readonly criticalUnknown: string | undefined;
    readonly extensions: ReadonlyMap<string, Extension>;
}

export declare class CertificateIssuer {
    #private;
    constructor(authority: Certificate, signer: Signer, options?: CertificateIssuerOptions);
    issueLeaf(template: CertificateTemplate): IssuedCertificate;
    issueAuthority(template: AuthorityTemplate): IssuedCertificate;
    prepareLeaf(template: CertificateTemplate): UnsignedCertificate;
    prepareAuthority(template: AuthorityTemplate): UnsignedCertificate;
}

export interface CertificateIssuerOptions {
    readonly selfCheck?: "always" | "never";
}

export interface CertificateTemplate {
    readonly spki: Uint8Array;
    readonly uris: readonly string[];
    readonly dnsNames?: readonly string[];
    readonly subject?: Uint8Array;
    readonly notBefore: number;
    readonly notAfter: number;
    readonly serial?: bigint;
    readonly extensions?: readonly {
        readonly oid: string;
        readonly value: Uint8Array;
    }[];
}

export interface Csr {
    readonly der: Uint8Array;
    readonly tbs: Uint8Array;
    readonly subject: Uint8Array;
    readonly spki: Uint8Array;
    readonly alternativeNames: readonly AlternativeName[];
    readonly uris: readonly string[];
    readonly dnsNames: readonly string[];
    readonly signatureAlgorithm: string;
    readonly signature: Uint8Array;
}

export interface CsrTemplate {
    readonly subject?: Uint8Array;
    readonly uris?: readonly string[];
    readonly dnsNames?: readonly string[];
}

export declare class DerReader {
    #private;
    readonly bytes: Uint8Array;
    readonly code: MalformedCode;
    readonly start: number;
    readonly end: number;
    offset: number;
    constructor(bytes: Uint8Array, code?: MalformedCode, start?: number, end?: number, depth?: number);
    get more(): boolean;
    peek(): number;
    finish(): void;
    fail(message: string): BonafideError;
    enter(tag: number): DerReader;
    content(tag: number): Uint8Array;
    element(tag: number): Uint8Array;
    true(): true;
    unsigned(octetsMax: number): Uint8Array;
    smallUnsigned(): number;
    octetBits(): Uint8Array;
    namedBits(): number;
}

export declare class DerWriter {
    #private;
    constructor(sizeBytes?: number);
    reset(): void;
    mark(): number;
    raw(bytes: Uint8Array): void;
    octet(value: number): void;
    wrap(tag: number, end: number): void;
    primitive(tag: number, content: Uint8Array): void;
    ascii(tag: number, text: string): void;
    bitString(octets: Uint8Array): void;
    since(end: number): Uint8Array;
    take(): Uint8Array;
}

export declare const EMPTY_NAME: Uint8Array;

export interface Extension {
    readonly critical: boolean;
    readonly value: Uint8Array;
}

export interface GeneratedKey {
    readonly privateKey: KeyObject;
    readonly spki: Uint8Array;
}

export interface IssuedCertificate {
    readonly der: Uint8Array;
    readonly serialText: string;
    readonly notBefore: number;
    readonly notAfter: number;
}

export declare const JWS_ALGORITHMS: readonly ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"];

export type JwsAlgorithm = (typeof JWS_ALGORITHMS)[number];

export interface JwsSigner {
    readonly algorithm: JwsAlgorithm;
    readonly spki: Uint8Array;
    sign(message: Uint8Array): Uint8Array;
}

export declare const KEY_USAGE: {
    readonly digitalSignature: 1;
    readonly contentCommitment: 2;
    readonly keyEncipherment: 4;
    readonly dataEncipherment: 8;
    readonly keyAgreement: 16;
    readonly keyCertSign: 32;
    readonly cRLSign: 64;
};

export type KeyAlgorithm = "ec-p256" | "ec-p384" | "ec-p521" | "ed25519" | "rsa";

export type MalformedCode = "DER_MALFORMED" | "CERTIFICATE_MALFORMED" | "CSR_MALFORMED";

export interface NameAttribute {
    readonly type: keyof typeof OIDS;
    readonly value: string;
}

export declare const PKI_ERRORS: {
    readonly DER_MALFORMED: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly PEM_MALFORMED: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly CERTIFICATE_MALFORMED: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly CSR_MALFORMED: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly CSR_SIGNATURE_INVALID: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly PUBLIC_KEY_UNSUPPORTED: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly PRIVATE_KEY_UNSUPPORTED: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly TEMPLATE_INVALID: {
        readonly status: "invalid_argument";
        readonly retry: false;
    };
    readonly SELF_CHECK_FAILED: {
        readonly status: "internal";
        readonly retry: true;
    };
    readonly PATH_EMPTY: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
    readonly PATH_TOO_LONG: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
    readonly PATH_NO_ANCHOR: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
    readonly PATH_LEAF_IS_AUTHORITY: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
    readonly PATH_LEAF_KEY_USAGE: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
    readonly PATH_EXPIRED: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
    readonly PATH_NOT_YET_VALID: {
        readonly status: "unauthenticated";
        readonly retry: true;
    };
    readonly PATH_CRITICAL_EXTENSION: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
    readonly PATH_ISSUER_NOT_AUTHORITY: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
    readonly PATH_ISSUER_KEY_USAGE: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
    readonly PATH_LENGTH_EXCEEDED: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
    readonly PATH_NAME_CONSTRAINT: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
    readonly PATH_SIGNATURE_INVALID: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
    readonly PATH_SIGNATURE_WEAK: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
    readonly PATH_TOO_MANY_SIGNATURES: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
    readonly PATH_UNKNOWN_AUTHORITY: {
        readonly status: "unauthenticated";
        readonly retry: false;
    };
};

export declare const PKI_LIMITS: {
    readonly certificateBytes: 32768;
    readonly pemCharacters: 1048576;
    readonly certificates: 1024;
    readonly derDepth: 16;
    readonly extensions: 64;
    readonly alternativeNames: 256;
    readonly nameAttributes: 32;
    readonly uriCharacters: 2048;
    readonly presented: 10;
    readonly pathDepth: 8;
    readonly pathSignatures: 32;
    readonly rsaBitsMin: 2048;
    readonly rsaBitsMax: 8192;
    readonly verdicts: 4096;
};

export interface PemBlock {
    readonly label: string;
    readonly der: Uint8Array;
}

export type PkiErrorCode = keyof typeof PKI_ERRORS;

export interface Signer {
    readonly algorithm: string;
    readonly spki: Uint8Array;
    sign(message: Uint8Array): Uint8Array;
}

export declare const TAG: {
    readonly boolean: 1;
    readonly integer: 2;
    readonly bitString: 3;
    readonly octetString: 4;
    readonly null: 5;
    readonly oid: 6;
    readonly utf8String: 12;
    readonly numericString: 18;
    readonly printableString: 19;
    readonly teletexString: 20;
    readonly ia5String: 22;
    readonly utcTime: 23;
    readonly generalizedTime: 24;
    readonly bmpString: 30;
    readonly sequence: 48;
    readonly set: 49;
};

export interface UnsignedCertificate {
    readonly tbs: Uint8Array;
    finish(signature: Uint8Array): IssuedCertificate;
}

export interface UriConstraints {
    readonly permitted: readonly string[] | undefined;
    readonly excluded: readonly string[];
}

export interface Verdict<Value> {
    readonly verified: VerifiedPath;
    readonly value: Value;
}

export declare class VerdictCache<Value> {
    #private;
    constructor(options?: {
        readonly entriesMax?: number;
    });
    get size(): number;
    find(digest: string, query: {
        readonly now: number;
        readonly revisionOf: (scope: string) => string | undefined;
    }): Verdict<Value> | undefined;
    remember(digest: string, verdict: Verdict<Value> & {
        readonly scope: string;
        readonly revision: string;
    }): void;
}

export interface VerifiedPath {
    readonly path: readonly Certificate[];
    readonly notBefore: number;
    readonly notAfter: number;
}

export interface VerifyPathOptions {
    readonly now: number;
    readonly uriName?: string;
    readonly subjectKind?: "end-entity" | "authority";
    readonly limits?: {
        readonly presented?: number;
        readonly pathDepth?: number;
        readonly pathSignatures?: number;
    };
}

export declare function commonNameOf(name: Uint8Array): string | undefined;

export declare function createCsr(signer: Signer, template?: CsrTemplate): Uint8Array;

export declare function describeName(name: Uint8Array): string;

export declare function digestChain(chain: readonly Uint8Array[]): string;

export declare function encodeName(attributes: readonly NameAttribute[]): Uint8Array;

export declare function encodePrivateKey(key: KeyObject): Uint8Array;

export declare function encodePublicKey(key: KeyObject): Uint8Array;

export declare function fitsJwsAlgorithm(algorithm: JwsAlgorithm, publicKey: KeyObject): boolean;

export declare function formatCertificatesPem(certificates: readonly {
    readonly der: Uint8Array;
}[]): string;

export declare function formatPem(label: string, der: Uint8Array): string;

export declare function generateKey(algorithm: "ec-p256" | "ec-p384" | "ed25519"): GeneratedKey;

export declare function isJwsAlgorithm(value: unknown): value is JwsAlgorithm;

export declare function issueRoot(signer: Signer, template: Omit<AuthorityTemplate, "spki">, options?: CertificateIssuerOptions): IssuedCertificate;

export declare function jwsSigner(signer: Signer): JwsSigner;

export declare function keyAlgorithmOf(key: KeyObject): KeyAlgorithm;

export declare function keyIdOf(spki: Uint8Array): Uint8Array;

export declare function keySigner(privateKey: KeyObject): Signer;

export declare function parseCertificate(der: Uint8Array): Certificate;

export declare function parseCertificates(der: Uint8Array): readonly Certificate[];

export declare function parseCertificatesPem(text: string): readonly Certificate[];

export declare function parseCsr(der: Uint8Array): Csr;

export declare function parsePem(text: string): readonly PemBlock[];

export declare function parsePrivateKey(pkcs8: Uint8Array): KeyObject;

export declare function parsePrivateKeyPem(text: string): KeyObject;

export declare function prepareRoot(signer: SignerName, template: Omit<AuthorityTemplate, "spki">, options?: CertificateIssuerOptions): UnsignedCertificate;

export declare function publicKeyOf(holder: {
    readonly spki: Uint8Array;
}): KeyObject;

export declare function randomSerial(): bigint;

export declare function signatureAlgorithmOf(key: KeyAlgorithm): string;

export declare function verifyCsr(csr: Csr): void;

export declare function verifyJws(check: {
    readonly algorithm: JwsAlgorithm;
    readonly message: Uint8Array;
    readonly signature: Uint8Array;
    readonly publicKey: KeyObject;
}): boolean;

export declare function verifyPath(chain: readonly Certificate[], anchors: readonly Certificate[], options: VerifyPathOptions): VerifiedPath;

export declare function verifySignature(check: {
    readonly algorithm: string;
    readonly message: Uint8Array;
    readonly signature: Uint8Array;
    readonly publicKey: KeyObject;
}): boolean;

// @bonafide/pki/testing

export type Attempt = () => unknown;

export interface ChainCase {
    readonly name: string;
    readonly chain: readonly MadeCertificate[];
    readonly anchors: readonly MadeCertificate[];
    readonly expect: "ok" | PkiErrorCode;
    readonly trustDomain?: string;
    readonly opensslDiffers?: string;
}

export interface HeldMemory {
    readonly heap: number;
    readonly resident: number;
}

export interface HostileRun {
    readonly values: number;
    readonly codes: number;
    readonly slowestMs: number;
    readonly warm: HeldMemory;
    readonly held: HeldMemory;
}

export interface MadeCertificate {
    readonly der: Uint8Array;
    readonly pem: string;
    readonly privateKey: KeyObject;
    readonly spki: Uint8Array;
    readonly template: MadeTemplate;
}

export interface MadeKey {
    readonly privateKey: KeyObject;
    readonly spki: Uint8Array;
}

export type MadeKeyKind = "ec-p256" | "ec-p384" | "ec-p521" | "ed25519" | "rsa-2048" | "rsa-1024";

export interface MadeTemplate {
    readonly commonName?: string;
    readonly isAuthority?: boolean;
    readonly pathLength?: number;
    readonly uris?: readonly string[];
    readonly dnsNames?: readonly string[];
    readonly otherNames?: readonly Uint8Array[];
    readonly keyUsage?: number | null;
    readonly extendedKeyUsage?: readonly string[];
    readonly hasBasicConstraints?: boolean;
    readonly hasKeyIds?: boolean;
    readonly permitted?: readonly string[];
    readonly excluded?: readonly string[];
    readonly extensions?: readonly Uint8Array[];
    readonly notBefore?: number;
    readonly notAfter?: number;
    readonly key?: MadeKey;
    readonly keyKind?: MadeKeyKind;
    readonly signatureHash?: "sha1" | "sha256";
    readonly version?: number;
    readonly serial?: Uint8Array;
    readonly innerAlgorithm?: Uint8Array;
    readonly issuerName?: string;
}

export type NextNumber = (below: number) => number;

export declare class TestCa {
    #private;
    readonly certificate: Certificate;
    readonly signer: Signer;
    constructor(uri: string, options?: TestCaOptions);
    get pem(): string;
    issue(uri: string, template?: Partial<CertificateTemplate>, key?: GeneratedKey): TestIdentity;
    intermediate(template?: Partial<Omit<AuthorityTemplate, "spki">>): TestCa;
}

export interface TestCaOptions {
    readonly now?: number;
    readonly algorithm?: "ec-p256" | "ec-p384" | "ed25519";
    readonly commonName?: string;
}

export interface TestIdentity {
    readonly certificate: Certificate;
    readonly privateKey: KeyObject;
    readonly chain: readonly Certificate[];
    readonly chainPem: string;
    readonly keyPem: string;
}

export declare function assertAnswered({ values, codes, slowestMs }: HostileRun): void;

export declare function assertNothingHeld({ warm, held }: HostileRun): void;

export declare function attemptAll(attempts: readonly Attempt[], inputs: number): Promise<HostileRun>;

export declare function chainCases(): readonly ChainCase[];

export declare function defective(next: NextNumber, source: Uint8Array): Uint8Array;

export declare function hostileSeed({ SEED }: NodeJS.ProcessEnv): number;

export declare function madeExtension(oid: string, critical: boolean, value: Uint8Array): Uint8Array;

export declare function makeCertificate(template?: MadeTemplate, issuer?: MadeCertificate): MadeCertificate;

export declare function makeKey(kind?: MadeKeyKind): MadeKey;

export declare function seededNumbers(seed: number): NextNumber;
