/** What goes into a history as its "who" when nobody is named: the user and the machine. */
export function currentUser(): string {
  const user = Deno.env.get("USER") ?? Deno.env.get("LOGNAME") ?? "unknown";
  return `${user}@${Deno.hostname()}`;
}
