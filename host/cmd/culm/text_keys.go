package main

// keyWords are the texts about keys and secrets: English, Chinese.
func keyWords() map[string][2]string {
	return map[string][2]string{
		"keys.file":            {"key file", "密钥文件"},
		"keys.plain":           {"not encrypted: keep it where only the server reads it", "未加密：请确保只有服务器能读取"},
		"keys.encrypted":       {"encrypted with the master key in %s", "已用主密钥加密，主密钥位于 %s"},
		"keys.primary":         {"primary", "当前密钥"},
		"keys.former":          {"former", "旧密钥"},
		"keys.sealed":          {"%d sealed with it", "加密了 %d 条"},
		"keys.rotated":         {"there is a new key: keep a copy of %s elsewhere, now", "已生成新密钥：请立即另存 %s 的副本"},
		"keys.verified":        {"%d open, %d do not", "%d 条可以解密，%d 条不能"},
		"keys.broken":          {"%s %s/%s, version %d: does not open", "%s %s/%s，版本 %d：无法解密"},
		"keys.kind.credential": {"credential", "凭证"},
		"keys.kind.project":    {"secret", "密文"},
		"keys.kind.run":        {"secret of a run", "任务密文"},

		"secret.none": {"no secrets in project %s; culm secret set NAME sets one", "项目 %s 中没有密文；可用 culm secret set NAME 设置"},
		"secret.row":  {"version %d\tset %s by %s\tfingerprint %s", "版本 %d\t%s 由 %s 设置\t指纹 %s"},
		"secret.gone": {"deleted %s", "已删除 %s"},
		"secret.empty": {
			"nothing in the environment (%s), and nothing on standard input", "环境变量 %s 未设置，标准输入也没有内容",
		},
	}
}
