// The feeds as the server tells of them: how each stands, and which times its data are of. Pure.

import { isReplay, positionNow } from "./playback.js";
import { Recording } from "./recording.js";

export class Sources {
  constructor() {
    this.feeds = [];
    /** performance.now() when they were told of. */
    this.at = -Infinity;
    /** Rises when a replay turns out to have been played otherwise than was known. */
    this.version = 0;
    this.recordings = new Map();
  }

  take(feeds, now) {
    this.feeds = feeds;
    this.at = now;
    for (const feed of feeds) if (isReplay(feed)) this.takeReplay(feed);
  }

  takeReplay(feed) {
    if (!this.recordings.has(feed.name)) this.recordings.set(feed.name, new Recording());
    if (this.recordings.get(feed.name).take(feed)) this.version += 1;
  }

  /** The feed that serves an instrument; undefined while it is not known. */
  of({ feed }) {
    return this.feeds.find(({ name }) => name === feed);
  }

  /** The feeds that a page is about which watches these instruments: theirs, or all where it watches none. */
  about(watched) {
    const names = new Set(watched.map(({ feed }) => feed));
    const found = this.feeds.filter(({ name }) => names.has(name));
    return found.length ? found : this.feeds;
  }

  /** The time of an instrument's event for its reader: when it was recorded, where it is replayed. */
  timeOf({ feed }, ms) {
    return this.recordings.get(feed)?.at(ms) ?? ms;
  }

  /** Whether what an instrument's replay played at `ms` does not follow on what it played at `before`. */
  jumped({ feed }, before, ms) {
    return this.recordings.get(feed)?.seams.some((seam) => before < seam && seam <= ms) ?? false;
  }

  isReplayed({ feed }) {
    return this.recordings.has(feed);
  }

  /** Where a replay is in the time of its recording, when the page's clock shows `now`. */
  placeOf(feed, now) {
    return feed.began_ms + 1000 * positionNow(feed, (now - this.at) / 1000);
  }

  /**
   * The times after which what a feed said did not go on: `silences` the last events before nothing
   * was known, `seams` the beginnings of other rounds and places of a recording.
   */
  breaksOf(name) {
    const feed = this.feeds.find((each) => each.name === name);
    return { silences: feed?.silences ?? [], seams: this.recordings.get(name)?.seams ?? [] };
  }
}

/** Whether all of these feeds play recordings. */
export function allReplayed(feeds) {
  return feeds.length > 0 && feeds.every(isReplay);
}

/** The newest event of these feeds: { feed, ms }, or null before the first. */
export function lastEvent(feeds) {
  const heard = feeds.filter((feed) => feed.last_event_ms !== null);
  const newest = heard.reduce((last, feed) => (last && last.last_event_ms >= feed.last_event_ms ? last : feed), null);
  return newest && { feed: newest, ms: newest.last_event_ms };
}
