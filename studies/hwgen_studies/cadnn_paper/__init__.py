"""CA-DNN: the published figures of the channel-adaptive SOT-MRAM chip beside ours."""
