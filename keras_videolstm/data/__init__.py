"""keras_videolstm.data"""
