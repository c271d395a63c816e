import { openSource, type X509Source } from "@bonafide/spiffe";

/**
 * Opens this process's identity, and says why there is none while there is none: `openSource` itself waits quietly, since
 * an entry that is written later, or an agent that starts later, is no fault.
 */
export async function openIdentity(): Promise<X509Source> {
  let said = "";
  return openSource({
    onProblem: ({ code, message }) => {
      // Each try has a decision id of its own, and the same reason.
      if (code !== said) console.error(`waiting for an identity: ${message} (${code})`);
      said = code;
    },
  });
}
