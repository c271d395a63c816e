import type { Status } from "@bonafide/proto/spire/api/types/status_pb";
import { EXIT } from "../exit-codes.ts";
import type { Output } from "../output.ts";

/** What became of the one thing that a command asked for: says it, with the whole answer for machines. */
export function itemOutcome(
  output: Output,
  status: Status | undefined,
  done: { readonly text: string; readonly value: object },
): number {
  const isDone = status?.code === 0;
  const message = isDone ? done.text : (status?.message ?? "no answer");
  if (isDone) output.result(done.text, done.value);
  else output.result(message, { refused: message, code: status?.code ?? 2 });
  return isDone ? EXIT.ok : EXIT.no;
}
