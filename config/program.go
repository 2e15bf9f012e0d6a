package config

import (
	"context"
	"errors"
	"fmt"

	"inosyncd/delta/rsync/process"
)

// CheckPrograms asks every rsync that c names for its version, and returns
// [Faults] of those that are too old. It is apart from [Load] because it runs
// them: each for 10 s at most. One that does not tell is no fault of the file;
// what is wrong with it is said where it is used.
func (c *Config) CheckPrograms(ctx context.Context) error {
	var faults Faults
	for _, f := range c.Programs {
		_, err := process.Check(ctx, f.Value)
		if old, ok := errors.AsType[*process.TooOld](err); ok {
			f.Msg = fmt.Sprintf("is rsync %s, which cannot %s: install %s or newer, or name another here", old.Version, old.Lacks, old.Needs)
			faults = append(faults, f)
		}
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}
