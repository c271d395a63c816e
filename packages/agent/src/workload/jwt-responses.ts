import { JWTBundlesResponseSchema } from "@bonafide/proto/workload_pb";
import { encode, type Encoded } from "@bonafide/rpc";
import { formatJwtBundle, type JwtBundle } from "@bonafide/spiffe";
import type { ReadyView } from "../identity/identity-groups.ts";

const answers = new WeakMap<ReadyView, Encoded<typeof JWTBundlesResponseSchema>>();
const documents = new WeakMap<JwtBundle, Uint8Array>();

/** The answer of FetchJWTBundles, encoded once for all streams of a group. */
export function jwtBundlesResponse(view: ReadyView): Encoded<typeof JWTBundlesResponseSchema> {
  const known = answers.get(view);
  if (known !== undefined) return known;
  const made = encode(JWTBundlesResponseSchema, {
    bundles: Object.fromEntries(
      [...view.jwtBundles].map(([name, bundle]) => [`spiffe://${name}`, document(bundle)]),
    ),
  });
  answers.set(view, made);
  return made;
}

function document(bundle: JwtBundle): Uint8Array {
  const known = documents.get(bundle);
  if (known !== undefined) return known;
  const made = new TextEncoder().encode(formatJwtBundle(bundle));
  documents.set(bundle, made);
  return made;
}
