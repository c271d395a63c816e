/** Everything that a list has, page by page: each answer names the next one, the last one none. */
export async function allPages<P extends { readonly nextPageToken: string }, T>(
  fetch: (pageToken: string) => Promise<P>,
  itemsOf: (page: P) => readonly T[],
): Promise<T[]> {
  const items: T[] = [];
  for (let pageToken = ""; ;) {
    const page = await fetch(pageToken);
    items.push(...itemsOf(page));
    pageToken = page.nextPageToken;
    if (pageToken === "") return items;
  }
}
