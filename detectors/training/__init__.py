"""Makes the street model: picture folders come in, a trained, measured and exported model goes out.

In:  folders of pictures with YOLO labels, start weights, COCO teachers.
Out: a training set in a work folder, a checkpoint, OpenVINO IR with its model card, figures per class.
Never runs inside the gateway, never reads a clock, never scores against a label that a teacher made.

This is a workbench beside the stage, not a part of it: its functions read and write folders themselves.
`ultralytics` (the extra `street721[train]`) is imported only by the functions that need it.
"""
