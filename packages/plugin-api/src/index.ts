export {
  type CanSignInProcess,
  canSignInProcess,
  type KeyManager,
  type ManagedKey,
  type ManagedKeyAlgorithm,
} from "./key-manager.ts";
export { KEY_MANAGER_ERRORS } from "./key-manager-errors.ts";
