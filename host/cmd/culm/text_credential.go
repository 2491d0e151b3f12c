package main

// credentialWords are the texts about credentials: English, Chinese.
func credentialWords() map[string][2]string {
	return map[string][2]string{
		"cred.nothing": {"nothing on standard input: pipe the secret in, or name a file with --file", "标准输入没有内容：请通过管道传入密钥，或用 --file 指定文件"},
		"cred.which":   {"give either --version or --all", "请指定 --version 或 --all 之一"},
		"cred.kept":    {"version %d does not work; the former one is used as before", "版本 %d 不可用，仍使用原来的版本"},

		"cred.unset":   {"not set", "未设置"},
		"cred.none":    {"none needed", "无需凭证"},
		"cred.set":     {"set", "已设置"},
		"cred.default": {"set, by the default of the installation", "已设置（来自全局默认）"},

		"cred.version":    {"version %d", "版本 %d"},
		"cred.is.primary": {"primary", "使用中"},
		"cred.is.standby": {"standby", "备用"},
		"cred.is.stale":   {"stale: set for another address", "已失效：系统的地址或认证方式已变"},
		"cred.by":         {"set %s by %s", "%s 由 %s 设置"},
		"cred.used":       {"last used %s", "最近使用 %s"},
		"cred.unused":     {"never used", "从未使用"},
		"cred.expires":    {"expires %s", "%s 到期"},

		"cred.stage.dns": {"dns", "域名解析"}, "cred.stage.address": {"address", "地址策略"}, "cred.stage.tcp": {"tcp", "建立连接"},
		"cred.stage.tls": {"tls", "TLS 握手"}, "cred.stage.auth": {"auth", "认证"}, "cred.stage.http": {"http", "HTTP 响应"},

		"cred.step.ok":      {"ok", "通过"},
		"cred.step.failed":  {"failed", "失败"},
		"cred.step.skipped": {"-", "未进行"},

		"cred.called":                   {"called %s", "调用了 %s"},
		"cred.base.no_read_operation":   {"called the base URL: no operation only reads", "系统没有只读接口，只访问了系统的地址"},
		"cred.base.parameters_required": {"called the base URL: every operation that reads needs parameters", "只读接口都需要填写参数，只访问了系统的地址"},
		"cred.base.switched_off":        {"called the base URL: the operations that could be tried are off", "可以试调的只读接口都已停用，只访问了系统的地址"},
	}
}
