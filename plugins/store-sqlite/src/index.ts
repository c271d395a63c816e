export { copySqliteFile, replaceSqliteFile } from "./copy-store.ts";
export { openSqliteStore, type SqliteStoreOptions } from "./sqlite-store.ts";
