// A candidate's replay as checked records: episodes with poses, contacts, goals and curves.
import { list, name, number, numbers, positive } from "./checks.js";
import { demand } from "./errors.js";
import { isCount, isRecord, unpack } from "./unpack.js";

const MOST_EPISODES = 8;
const MOST_FRAMES = 50_000;
const MOST_SERIES = 64;
const MOST_GOALS = 32;
const KINDS = ["component", "reward", "fitness"];
const MOST_NUMBERS = 5e7; // of all poses: several episodes may name the same ones
const POSE = 7; // x, y, z, qw, qx, qy, qz

/** Read a replay pack for a scene with this many bodies. Throws ReplayError. */
export async function readReplay(bytes, bodies) {
  const { header, array } = await unpack(bytes);
  demand(header.bodies === bodies, "it does not fit to the scene");
  const step = positive(header.step_s, "the length of a step");
  const episodes = list(header.episodes, MOST_EPISODES, "the list of episodes");
  demand(episodes.length > 0, "it has no episode");
  const frames = episodes.reduce((sum, episode) => sum + (episode?.frames ?? 0), 0);
  demand(frames * bodies * POSE <= MOST_NUMBERS, "it has too many frames");
  return {
    unit: typeof header.unit === "string" ? name(header.unit) : null,
    episodes: episodes.map((episode) => readEpisode(episode, array, bodies, step)),
  };
}

function readEpisode(episode, array, bodies, step) {
  demand(isRecord(episode), "an episode is missing");
  const { frames } = episode;
  demand(isCount(frames) && frames >= 1 && frames <= MOST_FRAMES, "an episode has no frames");
  const frameLength = positive(episode.stride, "an episode's stride") * step;
  const poses = array(episode.poses, "i16", "an episode");
  demand(poses.length === frames * bodies * POSE, "an episode is incomplete");
  const goals = list(episode.goals ?? [], MOST_GOALS, "the list of goals");
  const series = list(episode.series ?? [], MOST_SERIES, "the list of curves");
  return {
    kind: name(episode.kind),
    fitness: Number.isFinite(episode.fitness) ? episode.fitness : null,
    end: name(episode.end),
    seconds: positive(episode.length, "an episode's length") * step,
    frames,
    frameLength: number(frameLength, "the time between frames"),
    poses: summed(poses, bodies * POSE),
    scale: numbers(episode.scale, 3, "an episode's scale"),
    offset: numbers(episode.off, 3, "an episode's place"),
    contacts: readContacts(episode.contacts, array, frames),
    goals: goals.map((goal) => readGoal(goal, array, frames)),
    series: series.map((each) => readSeries(each, array, frames)),
  };
}

// Poses are stored as the change since the frame before, modulo 2^16.
function summed(changes, width) {
  const poses = changes.slice();
  for (let i = width; i < poses.length; i++) poses[i] += poses[i - width];
  return poses;
}

function readContacts(contacts, array, frames) {
  if (contacts === undefined || contacts === null) return null;
  demand(isRecord(contacts), "the contacts are missing");
  const counts = array(contacts.counts, "u16", "the list of contacts");
  demand(counts.length === frames, "the list of contacts is incomplete");
  const starts = new Uint32Array(frames + 1);
  for (let i = 0; i < frames; i++) starts[i + 1] = starts[i] + counts[i];
  const points = array(contacts.points, "f32", "the list of contacts");
  demand(points.length === 3 * starts[frames], "the list of contacts is incomplete");
  return { starts, points };
}

function readGoal(goal, array, frames) {
  demand(isRecord(goal), "a goal is missing");
  const points = array(goal.points, "f32", "a goal");
  demand(points.length === 3 * frames, "a goal is incomplete");
  return { name: name(goal.name), points };
}

function readSeries(series, array, frames) {
  demand(isRecord(series) && KINDS.includes(series.kind), "a curve has an unknown kind");
  const values = array(series.values, "f32", "a curve");
  demand(values.length === frames, "a curve is incomplete");
  return { name: name(series.name), kind: series.kind, values };
}
