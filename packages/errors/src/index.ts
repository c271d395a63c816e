export {
  BonafideError,
  type BonafideErrorOptions,
  type ErrorSpec,
  type ErrorTable,
  isBonafideError,
  type StatusName,
} from "./bonafide-error.ts";
