export { BundleFile, type BundleFileOptions, openBundleFile } from "./bundle-file.ts";
