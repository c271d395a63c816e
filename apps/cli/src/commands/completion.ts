import { type Command, defineCommand } from "../arguments/command.ts";
import { usage } from "../arguments/parse-flags.ts";
import { bashScript } from "../completion/bash-script.ts";
import { commandTree } from "../completion/command-tree.ts";
import { fishScript } from "../completion/fish-script.ts";
import { zshScript } from "../completion/zsh-script.ts";
import { EXIT } from "../exit-codes.ts";

const SCRIPTS = new Map([
  ["bash", bashScript],
  ["zsh", zshScript],
  ["fish", fishScript],
]);

/** `bonafide completion` */
export const completion: Command = defineCommand({
  name: "completion",
  summary: "prints a script that completes this command line in bash, zsh or fish",
  usage: "SHELL",
  flags: {},
  operands: { min: 1, max: 1 },
  examples: [
    "bonafide completion bash > ~/.local/share/bash-completion/completions/bonafide",
    "bonafide completion zsh > ~/.zfunc/_bonafide",
    "bonafide completion fish > ~/.config/fish/completions/bonafide.fish",
  ],
  async run({ operands, output }) {
    const [shell = ""] = operands;
    const script = SCRIPTS.get(shell);
    if (script === undefined) throw usage(`${shell} is none of ${[...SCRIPTS.keys()].join(", ")}`);
    // Only here: the list imports this very file.
    const { COMMANDS } = await import("./index.ts");
    const commands = await Promise.all(COMMANDS.map(({ load }) => load()));
    const text = script(commandTree(commands));
    output.result(text.trimEnd(), { shell, script: text });
    return EXIT.ok;
  },
});
