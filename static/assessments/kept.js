/* What somebody typed and the server has not confirmed: kept in this browser, one entry for each answer, by user and
   assessment. Nobody else who signs in here is shown or sends it; signing out erases it (rungs.js). */

const prefix = "rungs:unsent";

export class Kept {
  constructor(user, assessment) {
    this.start = `${prefix}:${user}:${assessment}:`;
    this.inMemory = new Map(); // what could not be stored, and what is while there is no storage at all
  }

  /** Every entry, by place. */
  all() {
    const found = new Map(this.inMemory);
    for (const name of names(this.start)) {
      const place = name.slice(this.start.length);
      const entry = read(name);
      if (entry && !found.has(place)) found.set(place, entry);
    }
    return found;
  }

  get(place) {
    return this.inMemory.get(place) ?? read(this.start + place);
  }

  /** Keep an entry; false where this browser cannot store it, so that it lives only as long as the page. */
  put(place, entry) {
    try {
      localStorage.setItem(this.start + place, JSON.stringify(entry));
      this.inMemory.delete(place);
      return true;
    } catch {
      this.inMemory.set(place, entry);
      return false;
    }
  }

  drop(place) {
    this.inMemory.delete(place);
    try {
      localStorage.removeItem(this.start + place);
    } catch {
      /* nothing could be stored here either */
    }
  }

  get isAllStored() {
    return this.inMemory.size === 0;
  }
}

/** The assessments of which this user has something unsent in this browser. */
export function assessmentsWithUnsent(user) {
  const start = `${prefix}:${user}:`;
  return new Set(names(start).map((name) => name.slice(start.length).split(":", 1)[0]));
}

function names(start) {
  try {
    return Object.keys(localStorage).filter((name) => name.startsWith(start));
  } catch {
    return [];
  }
}

function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? undefined;
  } catch {
    return undefined;
  }
}
