package secrets

// ProjectRef is the reference of a project's secret, for Vault.Resolve.
func ProjectRef(name string) string { return projectRefPrefix + name }
