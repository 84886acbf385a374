// Package searches holds what campaigns of searches for planted mistakes have found:
// how many runs each policy took to each mistake, and what that says of the policies.
//
// # Directory
//
// A campaign is a directory with campaign.json, the [Manifest], and one file of JSON
// lines per policy, a [Search] each. A search is written when it is over, as one line, so
// that a campaign that was killed goes on with those that are missing; a last line that
// was cut off is none. When all are there, lines are put in order, and the same
// searches give the same bytes.
//
// # Censoring
//
// A search that found nothing within its budget took longer than that, no more is known:
// it is censored. Medians and means are those of Kaplan and Meier ([stat.KaplanMeier]),
// the mean restricted to the budget, and policies are compared by the log-rank test within
// each mistake. A median over the found ones alone would favour a policy that finds little.
package searches
