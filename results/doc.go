// Package results is the record of a measurement campaign: its schema, writer
// and reader, and the one table of metrics that every producer and consumer of
// numbers shares.
//
// A campaign is a directory results/<id>/ with
//
//	manifest.json   schema version, environment, plan, validity, warnings
//	samples.jsonl   one JSON object per repetition of a cell, appended durably
//	*.hlog          HdrHistogram logs, one file per cell, values in nanoseconds
//	summary.txt     the same samples in Go benchmark format, for benchstat
//
// The raw samples are the record; summary.txt is derived from them and written
// anew by every Finish. An interrupted campaign keeps every repetition that was
// appended and continues with Resume.
//
// A repetition whose committed output was wrong has no numbers: Sample.Validate
// refuses metrics beside the verdict OutputWrong.
package results
