// Package settings is how people give the settings of a job's coordinator, and read them: as
// flags, in a file of YAML, in results and in docs/configuration.md. The table itself is
// dataflow.Settings.
package settings
