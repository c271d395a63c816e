interface Comment {
  readonly value: string;
  readonly loc: unknown;
}
interface Context {
  readonly sourceCode: { getAllComments(): readonly Comment[] };
  report(problem: { message: string; node: Comment }): void;
}

/** Lint rules of this repository. */
const plugin: unknown = {
  meta: { name: "bonafide" },
  rules: {
    "disable-needs-reason": {
      create(context: Context): unknown {
        return {
          Program(): void {
            for (const comment of context.sourceCode.getAllComments()) {
              if (/^\s*oxlint-disable/.test(comment.value) && !comment.value.includes(" -- ")) {
                context.report({ message: "say why after --", node: comment });
              }
            }
          },
        };
      },
    },
  },
};
// oxlint-disable-next-line import/no-default-export -- the shape oxlint loads
export default plugin;
