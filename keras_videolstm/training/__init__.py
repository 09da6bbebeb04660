"""keras_videolstm.training"""
