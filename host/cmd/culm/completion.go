package main

import (
	"io"

	"github.com/spf13/cobra"
)

// shell is one for which there is a completion script.
type shell struct {
	name string
	// now loads the script into a shell that is open, always into each that is opened later.
	now, always string
	// needs is what must be there besides, "" for nothing.
	needs string
	write func(root *cobra.Command, out io.Writer, descriptions bool) error
}

func shells() []shell {
	return []shell{
		{
			name:   "bash",
			now:    "source <(culm completion bash)",
			always: "culm completion bash > ~/.local/share/bash-completion/completions/culm",
			needs:  "The script needs the package bash-completion.",
			write: func(root *cobra.Command, out io.Writer, descriptions bool) error {
				return root.GenBashCompletionV2(out, descriptions)
			},
		},
		{
			name:   "zsh",
			now:    "source <(culm completion zsh)",
			always: `culm completion zsh > "${fpath[1]}/_culm"`,
			needs:  `Completion must be on: "autoload -U compinit; compinit" in ~/.zshrc does that.`,
			write: func(root *cobra.Command, out io.Writer, descriptions bool) error {
				if !descriptions {
					return root.GenZshCompletionNoDesc(out)
				}
				return root.GenZshCompletion(out)
			},
		},
		{
			name:   "fish",
			now:    "culm completion fish | source",
			always: "culm completion fish > ~/.config/fish/completions/culm.fish",
			write: func(root *cobra.Command, out io.Writer, descriptions bool) error {
				return root.GenFishCompletion(out, descriptions)
			},
		},
		{
			name:   "powershell",
			now:    "culm completion powershell | Out-String | Invoke-Expression",
			always: "culm completion powershell >> $PROFILE",
			write: func(root *cobra.Command, out io.Writer, descriptions bool) error {
				if !descriptions {
					return root.GenPowerShellCompletion(out)
				}
				return root.GenPowerShellCompletionWithDesc(out)
			},
		},
	}
}

// completionCommand writes completion scripts: in place of cobra's own, which knows English
// only.
func (p *program) completionCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "completion",
		Short: "Write the script by which a shell completes culm's commands and flags",
		Long: "Write the script by which a shell completes culm's commands and flags. The help of each\n" +
			"shell's command says how it is loaded.",
		Args:   cobra.NoArgs,
		Hidden: true,
		RunE:   func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	for _, s := range shells() {
		c.AddCommand(p.completionOf(s))
	}
	return c
}

func (p *program) completionOf(s shell) *cobra.Command {
	var bare bool
	long := "Write the completion script to standard output. The first example loads it into the shell\n" +
		"that is open, the second into each that is opened later."
	if s.needs != "" {
		long += "\n\n" + s.needs
	}
	c := &cobra.Command{
		Use:     s.name,
		Short:   "Write the completion script for " + s.name,
		Long:    long,
		Example: "  " + s.now + "\n  " + s.always,
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return failed(s.write(c.Root(), p.out, !bare)) },
	}
	c.Flags().BoolVar(&bare, "no-descriptions", false, "complete without descriptions")
	return c
}
