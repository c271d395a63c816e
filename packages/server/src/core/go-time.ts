const FORM =
  /^(\d{4})-(\d{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2})(?:\.\d{1,9})? ([+-])(\d{2})(\d{2}) [^ ]+$/;

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/**
 * Reads a time as Go prints it by the layout `2006-01-02 15:04:05 -0700 -07`, which SPIRE's list filter uses.
 *
 * @returns Epoch ms, whole seconds; undefined for any other text.
 */
export function parseGoTime(text: string): number | undefined {
  const parts = FORM.exec(text);
  if (parts === null) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number);
  const offset = Number(parts[8]) * 60 + Number(parts[9]);
  if (year === undefined || month === undefined || day === undefined) return undefined;
  if (hour === undefined || minute === undefined || second === undefined) return undefined;
  const monthDays = (MONTH_DAYS[month - 1] ?? 0) + (month === 2 && isLeap(year) ? 1 : 0);
  const isReal = day >= 1 && day <= monthDays && hour < 24 && minute < 60 && second < 60;
  if (!isReal || year < 1970) return undefined;
  const minutes =
    (daysSince1970(year, month, day) * 24 + hour) * 60 +
    minute -
    (parts[7] === "-" ? -offset : offset);
  return (minutes * 60 + second) * 1000;
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

function daysSince1970(year: number, month: number, day: number): number {
  const before = year - 1;
  const leaps = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) - 477;
  let days = (year - 1970) * 365 + leaps + day - 1;
  for (let m = 1; m < month; m++) days += MONTH_DAYS[m - 1] ?? 0;
  return days + (month > 2 && isLeap(year) ? 1 : 0);
}
