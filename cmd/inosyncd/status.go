package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"inosyncd/internal/control"
)

// watchPeriod is how often status --watch asks.
const watchPeriod = time.Second

func (a *app) statusCommand() *cobra.Command {
	var asJSON, watch bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "show the state of the running daemon and its nodes",
		Long: `status first says how many nodes are in sync, and which node most needs attention:
how far it is behind, why, and the cure. A table of all nodes follows, with error
and cure below each node in trouble. LAST PUSH is a time today, or else a date.

The exit code says whether the daemon answered, not whether nodes are in sync:
scripts read in_sync of --json. That also has cure (for last_error), last_verified
(when verify, or a full sync with checksum: true, last found the node equal by
content) and drift (what the last scheduled full sync repaired although no change
was pending).`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := a.client()
			if err != nil {
				return err
			}
			if !watch {
				text, err := a.statusText(cmd.Context(), client, asJSON)
				if err == nil {
					_, err = a.stdout.Write(text)
				}
				return err
			}
			return a.watchStatus(cmd.Context(), client, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document on one line")
	cmd.Flags().BoolVar(&watch, "watch", false, "print again on every change, until stopped; survives a restart of the daemon")
	return cmd
}

// watchStatus prints the status whenever it has changed, until ctx is done. A
// terminal shows the last one only. A daemon that has answered is waited for when
// it goes, as at a restart.
func (a *app) watchStatus(ctx context.Context, client *control.Client, asJSON bool) error {
	between := "\n"
	if asJSON {
		between = ""
	} else if terminalOf(a.stdout).there {
		between = "\x1b[H\x1b[2J" // ECMA-48: cursor home, erase the page
	}
	tick := time.NewTicker(watchPeriod)
	defer tick.Stop()
	var last []byte
	gone := false
	for {
		text, err := a.statusText(ctx, client, asJSON)
		if err != nil && (last == nil || ctx.Err() != nil) {
			return err
		}
		if err != nil && !gone {
			fmt.Fprintf(a.stderr, "inosyncd: waiting for the daemon to come back: %s\n", printable(err.Error()))
		}
		gone = err != nil
		if !gone && !bytes.Equal(text, last) {
			if last == nil && between == "\n" {
				_, err = a.stdout.Write(text)
			} else {
				_, err = fmt.Fprintf(a.stdout, "%s%s", between, text)
			}
			if err != nil {
				return err
			}
			last = text
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (a *app) statusText(ctx context.Context, client *control.Client, asJSON bool) ([]byte, error) {
	s, err := client.Status(ctx)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if !asJSON {
		printStatus(&b, s, terminalOf(a.stdout), time.Now())
		return b.Bytes(), nil
	}
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err = e.Encode(s)
	return b.Bytes(), err
}
