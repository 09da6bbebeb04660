"""The command line of keras_videolstm, one file a command."""
