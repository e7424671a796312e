// Where two recordings differ, and which of the differences are listed.

/** Stands for a member or element that only one side has. */
export const absent = "<absent>";

const isObject = (value) => typeof value === "object" && value !== null;

/** The differences of two JSON values as [{where, sdk, troupe}]; members are compared by name, elements by index. */
export function differences(sdk, troupe, where = "") {
  if (!isObject(sdk) || !isObject(troupe) || Array.isArray(sdk) !== Array.isArray(troupe))
    return Object.is(sdk, troupe) ? [] : [{ where, sdk: sdk ?? null, troupe: troupe ?? null }];
  const found = [];
  for (const key of new Set([...Object.keys(sdk), ...Object.keys(troupe)])) {
    const inner = Array.isArray(sdk) ? `${where}[${key}]` : `${where}${where && "."}${key}`;
    if (!Object.hasOwn(sdk, key)) found.push({ where: inner, sdk: absent, troupe: troupe[key] });
    else if (!Object.hasOwn(troupe, key)) found.push({ where: inner, sdk: sdk[key], troupe: absent });
    else found.push(...differences(sdk[key], troupe[key], inner));
  }
  return found;
}

/** Whether a listed place, in which [*] is any index and a final ** anything, is that of a difference. */
function isAt(listed, where) {
  const pattern = listed
    .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll("\\[\\*\\]", "\\[\\d+\\]")
    .replace(/\\\*\\\*$/, ".*");
  return new RegExp(`^${pattern}$`).test(where);
}

/** Whether an entry covers a difference: by its place, and by the values if it gives them. */
function covers({ where, replace, ...values }, difference) {
  if (!isAt(where, difference.where)) return false;
  if (replace && difference.troupe?.replaceAll?.(...replace) !== difference.sdk) return false;
  return ["sdk", "troupe"].every(
    (side) => !Object.hasOwn(values, side) || differences(values[side], difference[side]).length === 0,
  );
}

/** The list with one entry for each place: those of differences.json may have several. */
const onePlaceEach = (list) => list.flatMap((entry) => [entry.where].flat().map((where) => ({ ...entry, where })));

/** Splits a scenario's differences by the list: those that no entry covers, and the entries that cover none. */
export function judge(name, found, list) {
  const entries = onePlaceEach(list.filter(({ scenarios }) => scenarios.includes(name)));
  return {
    unlisted: found.filter((difference) => !entries.some((entry) => covers(entry, difference))),
    stale: entries.filter((entry) => !found.some((difference) => covers(entry, difference))),
  };
}
