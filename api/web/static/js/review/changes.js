/**
 * The changes of a review on their way to the service: one after the other, each on the version that the one before
 * gave. What is not acknowledged yet is kept in this tab's session storage, so that a reload loses nothing.
 */

import { ProblemError } from "../api.js";
import { isDone } from "./model.js";

const LONGEST_PAUSE = 8;
const LOST = ["review-foreign", "review-locked", "review-submitted", "review-unknown", "audit-foreign", "audit-state"];
const wait = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

/** Trouble that passes: the service does not answer, starts, or has lost its database for a while. */
const passes = ({ status }) => status === 0 || status >= 500;

export class Changes {
  /**
   * @param {string} name of the place in session storage
   * @param {{send: Function, read: Function, onState: Function, onRefused: Function, onLost: Function, onSaving: Function}} hooks
   *   `send(action, record)` and `read()` call the service; `onState(state, change)` gets what a change led to;
   *   `onSaving(word)` gets `saving`, `saved` or `retrying`
   */
  constructor(name, hooks) {
    this.name = `codeassist.unsaved.${name}`;
    this.hooks = hooks;
    this.version = 0;
    this.queue = [];
    this.running = null;
  }

  get unsaved() {
    return this.queue.length > 0;
  }

  /** Begin with a review as it was opened; changes of a page that was left before they were acknowledged are made now. */
  begin(review) {
    this.version = review.version;
    const kept = JSON.parse(sessionStorage.getItem(this.name) ?? "[]");
    this.queue = kept.filter((change) => this.#isOpen(change, review));
    this.#keep();
    if (this.queue.length) this.#start();
    return this.queue.length;
  }

  push(action, record = {}, said = "") {
    this.queue.push({ action, record, said });
    this.#keep();
    this.#start();
  }

  /** Resolves when nothing is on its way any more. */
  async idle() {
    while (this.running) await this.running;
  }

  /** Whether a change that was kept has still to be made: it was not sent, or nothing came of it. */
  #isOpen({ version, ...change }, review) {
    if (version === undefined || version === review.version) return true;
    return change.action === "decisions" && !isDone(change, review);
  }

  #keep() {
    if (this.queue.length) sessionStorage.setItem(this.name, JSON.stringify(this.queue));
    else sessionStorage.removeItem(this.name);
  }

  #start() {
    this.running ??= this.#run().finally(() => {
      this.running = null;
    });
  }

  async #run() {
    let pause = 1;
    while (this.queue.length) {
      const change = this.queue[0];
      change.version = this.version;
      this.#keep();
      this.hooks.onSaving("saving");
      try {
        const state = await this.hooks.send(change.action, { version: this.version, ...change.record });
        pause = 1;
        this.version = state.version;
        this.#done(state, change);
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        if (passes(error.problem)) {
          this.hooks.onSaving("retrying");
          await wait(pause);
          pause = Math.min(pause * 2, LONGEST_PAUSE);
        } else await this.#refused(error.problem, change);
      }
    }
    this.hooks.onSaving("saved");
  }

  #done(state, change) {
    this.queue.shift();
    this.#keep();
    this.hooks.onState(state, change);
  }

  async #refused(problem, change) {
    if (problem.code === "version-stale") {
      let review;
      try {
        review = await this.hooks.read();
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        return wait(1); // and the change is tried again
      }
      this.version = review.version;
      // an undo is not made on what somebody else did last; a decision is made again, unless it stands
      if (change.action !== "decisions" || isDone(change, review)) this.#done(review, change);
      else this.hooks.onState(review, null);
      return undefined;
    }
    if (LOST.includes(problem.code)) {
      const lost = this.queue.splice(0);
      this.#keep();
      return this.hooks.onLost(problem, lost);
    }
    this.queue.shift();
    this.#keep();
    return this.hooks.onRefused(problem, change);
  }
}
