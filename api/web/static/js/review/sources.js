/** Where the page gets what it reviews: a review, or the second look at one that an auditor takes. */

import { changeAudit, changeReview, openReview, post, showAudit, showReview } from "../api.js";
import { me, userKnown } from "../site.js";

const UNOPENED = ["review-locked", "review-submitted", "forbidden"];

/** A review: opened and locked, or only shown where it can't be opened. */
function reviewSource(number) {
  return {
    name: `review-${number}`,
    list: "/",
    read: () => showReview(number),
    send: (action, record) => changeReview(number, action, record),
    keep: () => post(`/v1/reviews/${number}/keep`, {}),
    async open(takeOver) {
      try {
        return { review: await openReview(number, takeOver), editable: true };
      } catch (error) {
        if (!UNOPENED.includes(error.problem?.code)) throw error;
        return { review: await showReview(number), editable: false, why: error.problem.detail };
      }
    },
  };
}

/** A second look: coded by its auditor while it is open, compared after. */
function auditSource(number) {
  return {
    name: `audit-${number}`,
    list: "/audits",
    isAudit: true,
    read: () => showAudit(number),
    send: (action, record) => changeAudit(number, action, action === "submit" ? { version: record.version } : record),
    keep: null,
    async open() {
      const [review] = await Promise.all([showAudit(number), userKnown()]);
      const editable = review.state === "open" && review.auditor === me();
      const does = review.state === "abandoned" ? "gave this second look up" : "takes this second look";
      return { review, editable, why: editable ? "" : `${review.auditor} ${does}.` };
    },
  };
}

/** The source that the page is about. */
export function source() {
  const { review, audit } = document.body.dataset;
  return audit ? auditSource(Number(audit)) : reviewSource(Number(review));
}
