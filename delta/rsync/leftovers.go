package rsync

import "inosyncd/delta/rsync/output"

// leftovers returns the rules that have a run remove what pushes that broke off have
// left at the node. Rules protect the directories of unfinished files, so that
// what is in them can serve the file that it is for. When all of a node has been
// made equal, there is no such file any more. rsync removes them after it has put
// everything in place, as --delete-delay has it (rsync(1), --partial-dir).
//
// Temporary files, ".name.XXXXXX", need no rule: nothing protects them.
func (e *Engine) leftovers(m mode) []string {
	if !m.leftovers {
		return nil
	}
	args := []string{"--filter=R " + output.PartialDir + "/"}
	if e.o.DelayUpdates {
		args = append(args, "--filter=R "+output.DelayedDir+"/")
	}
	return args
}
