import type { Org } from "./folder.ts";

/**
 * R8: the CODEOWNERS file of the folder, in the form that git hosts read; later lines win.
 *
 * @param options.prefix  Where the folder lies in its repository, such as `authz`; the repository itself if empty.
 */
export function codeowners({ owners, teams }: Org, options: { prefix?: string } = {}): string {
  const prefix = (options.prefix ?? "").replaceAll(/^\/+|\/+$/g, "");
  const lines = [[prefix === "" ? "*" : `/${prefix}/`, ...owners].join(" ")];
  const root = prefix === "" ? "" : `/${prefix}`;
  for (const { name, owners: people } of [...teams.values()].toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    lines.push([`${root}/teams/${name}/`, ...people].join(" "));
  }
  return `${lines.join("\n")}\n`;
}
