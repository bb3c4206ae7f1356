// What the page makes of a replay's position. Pure; all in seconds.

import { NONE } from "./format.js";

/** The speeds to choose from; 0 is as fast as it goes. */
export const SPEEDS = [0.25, 0.5, 1, 2, 5, 10, 0];

/** Whether a feed is a replay, by what the server tells of it. */
export function isReplay(feed) {
  return feed.position_s !== undefined;
}

/** Where a replay is by now, `elapsed` after the server told its position. */
export function positionNow({ position_s, duration_s, speed, paused, state }, elapsed) {
  const moves = !paused && state === "replayed";
  return Math.min(duration_s, position_s + (moves ? Math.max(0, elapsed) * speed : 0));
}

/** The step of the slider: about three hundred from end to end, at least 0.1 s. */
export function seekStep(duration) {
  return [0.1, 0.5, 1, 5, 10, 30].find((step) => duration / step <= 300) ?? 60;
}

/** A place in a recording: 0:07, 12:30, 1:02:03. */
export function placeText(seconds) {
  if (!Number.isFinite(seconds)) return NONE;
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** A speed as a choice. */
export function speedText(speed) {
  return speed ? `Speed ${speed}×` : "As fast as it goes";
}
