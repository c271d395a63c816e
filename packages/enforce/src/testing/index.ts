export { signedBundle, type SignedBundleOptions } from "./signed-bundle.ts";
