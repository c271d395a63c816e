import type { Org } from "./folder.ts";

/** R8: the CODEOWNERS file of the folder, in the form that git hosts read; later lines win. */
export function codeowners({ owners, teams }: Org): string {
  const lines = [["*", ...owners].join(" ")];
  for (const { name, owners: people } of [...teams.values()].toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    lines.push([`/teams/${name}/`, ...people].join(" "));
  }
  return `${lines.join("\n")}\n`;
}
